"""Sans-I/O protocol engines: bytes in, events out; nothing here knows sockets, clocks, tasks or logs."""
