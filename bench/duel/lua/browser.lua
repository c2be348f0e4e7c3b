-- A browser's 19 fields. Path, cookie and the tracing fields differ from request to request; the texts are made
-- before the run, so that the client spends its core on the sockets. The file (one request a record) is written by
-- the harness, which verifies one of the same requests before timing.
dofile(os.getenv("DUEL_LUA") .. "/report.lua")
function init(args)
  local requests = {}
  local file = assert(io.open(os.getenv("DUEL_REQUESTS"), "rb"))
  local text = file:read("*a")
  file:close()
  for record in text:gmatch("([^\30]+)") do
    requests[#requests + 1] = record
  end
  local i, n = 0, #requests
  request = function()
    i = i % n + 1
    return requests[i]
  end
end
