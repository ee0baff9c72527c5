-- post.lua RUN PAGES - each request is a reply with a key and words of its own, as a browser sends it.
-- RUN is a word that no other run against the same store has; the replies go to PAGES pages in turn.
local words = { "harbor", "steppe", "council", "budget", "winter", "market", "bridge", "teacher", "summit", "river",
  "caf%C3%A9", "ferry", "tram", "statute", "orchard", "mayor", "evening", "signal", "quarry", "museum",
  "library", "railway", "debate", "harvest", "weather", "valley" }
local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set("number", threads)
end

local run, pages, n, state

function init(args)
  run, pages, n, state = args[1], tonumber(args[2]), 0, number * 7919 + 1
end

local function word()
  state = (state * 1103515245 + 12345) % 2147483648
  return words[math.floor(state / 65536) % #words + 1]
end

-- About 400 characters in two paragraphs, with emphasis and a link.
local function comment(mark)
  local some = {}
  for i = 1, 48 do some[i] = word() end
  some[9] = "*" .. some[9] .. "*"
  some[17] = "[" .. some[17] .. "](https%3A%2F%2Fexample.org%2F" .. some[18] .. ")"
  some[25] = some[25] .. ".%0D%0A%0D%0A" .. some[26]
  return table.concat(some, "+") .. "+" .. mark
end

function request()
  n = n + 1
  local mark = run .. "-" .. number .. "-" .. n
  local body = "page=%2Fbench%2Fload-" .. n % pages .. "&parent=&phone=&name=Reader+" .. mark .. "&email=reader-" .. mark ..
    "%40example.org&website=https%3A%2F%2Fexample.org%2F" .. mark .. "&comment=" .. comment(mark) .. "&key=" .. mark
  return wrk.format("POST", nil, { ["Content-Type"] = "application/x-www-form-urlencoded", ["Accept"] = "text/html",
    ["Origin"] = "http://localhost:8080", ["Sec-Fetch-Site"] = "same-origin", ["User-Agent"] = "bench/1" }, body)
end

dofile((debug.getinfo(1, "S").source:match("^@(.*/)") or "") .. "done.lua")
