-- One request that never changes: wrk builds it once.
dofile(os.getenv("DUEL_LUA") .. "/report.lua")
