-- Sixteen requests in one write.
dofile(os.getenv("DUEL_LUA") .. "/report.lua")
function init(args)
  local batch = {}
  for i = 1, 16 do
    batch[i] = wrk.format(nil, nil)
  end
  batch = table.concat(batch)
  request = function() return batch end
end
