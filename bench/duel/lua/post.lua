-- POST the file named by DUEL_BODY with the type named by DUEL_TYPE.
dofile(os.getenv("DUEL_LUA") .. "/report.lua")
local file = assert(io.open(os.getenv("DUEL_BODY"), "rb"))
wrk.method = "POST"
wrk.body = file:read("*a")
file:close()
wrk.headers["Content-Type"] = os.getenv("DUEL_TYPE")
