#!/usr/bin/env python3
"""How much CPU does a durable hit cost, beside nginx + Lua + Redis with `appendfsync always`?

Theirs is one INCR a hit over a pooled socket, no JSON read, no id, no receipt, and no warehouse: so
what counting takes of ours and what all of it takes have a row each.
"""
import sys

sys.dont_write_bytecode = True
from rig import (  # noqa: E402
    Nginx,
    Redis,
    Server,
    Wrk,
    cpu_per_request,
    median_and_spread,
    note,
    our_turn,
    row,
    workshop,
)

TARGET = 0.35
ROUNDS, SECONDS = 5, 3
MODULES = ("ndk_http_module", "ngx_http_lua_module")

COUNT = """
content_by_lua_block {
  local redis = require "nginx.redis"
  local store = redis:new()
  local good, why = store:connect("unix:%s")
  if not good then ngx.status = 500; ngx.say(why); return end
  ngx.req.read_body()
  local body = ngx.req.get_body_data()
  local page = string.match(body, '"siteUrl":"([^"]*)"')
  local hits, failed = store:incr(page)
  if not hits then ngx.status = 500; ngx.say(failed); return end
  store:set_keepalive(60000, 512)
  ngx.say('{"siteUrl":"' .. page .. '","siteHits":"' .. hits .. '"}')
}
"""


def main():
    with workshop("redis") as folder:
        redis = Redis(folder)
        nginx = Nginx(
            folder, COUNT % redis.socket, MODULES, 'lua_package_path "/usr/share/lua/5.1/?.lua;;";'
        )
        ours, wrk = Server(folder), Wrk(folder)
        try:
            ours.start()
            for connections in (64, 256):
                counting, whole, costs = [], [], []
                for _ in range(ROUNDS):
                    their_pids = nginx.pids() + redis.pids()
                    theirs, rate, bad = cpu_per_request(
                        their_pids, wrk, nginx.port, "one page", connections, SECONDS
                    )
                    turn = our_turn(ours, wrk, "one page", connections, SECONDS)
                    counting.append(turn.counting / theirs)
                    whole.append(turn.whole / theirs)
                    costs.append((turn.whole, theirs, turn.hits / SECONDS, rate))
                    if bad or turn.bad:
                        note(f"FAILED REQUESTS: theirs {bad}; ours {turn.bad}")
                ratio, spread = median_and_spread(counting)
                row(
                    f"CPU per counted hit, {connections} connections, of nginx + Lua + Redis",
                    f"{ratio:.2f}x ({spread})",
                    f"{TARGET}x",
                    ratio <= TARGET,
                )
                row(
                    "the same until it is in the warehouse, all threads",
                    "{:.2f}x ({})".format(*median_and_spread(whole)),
                    "-",
                    None,
                )
                middle = sorted(costs)[len(costs) // 2]
                note(
                    f"ours {middle[0]:.1f} us, theirs {middle[1]:.1f} us; "
                    f"{middle[2]:.0f} and {middle[3]:.0f} a second"
                )
        finally:
            nginx.close()
            redis.close()
            ours.close()


if __name__ == "__main__":
    main()
