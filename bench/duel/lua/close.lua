-- No keep-alive: the server closes after each answer.
dofile(os.getenv("DUEL_LUA") .. "/report.lua")
wrk.headers["Connection"] = "close"
