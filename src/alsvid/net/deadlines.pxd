cimport cython

from alsvid.net.connection cimport Connection
from alsvid.net.context cimport ConnectionContext

@cython.locals(connection=Connection)
cpdef sweep(ConnectionContext context, double now)
