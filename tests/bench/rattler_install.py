#!/usr/bin/env python3
"""py-rattler's answer: rattler_install.py CHANNEL ROOT CACHE SPEC... solves on CHANNEL over HTTP and installs into ROOT/opt/env as if it were /opt/env.
Prints the records as JSON. For a python with py-rattler==0.28.0; what builds and tests compare with."""
import asyncio
import json
import os
import sys

from rattler import (BuildString, Channel, ChannelPriority, Gateway, GenericVirtualPackage, MatchSpec, PackageName, Subdir, Version, install,
                     solve)


async def main():
    url, root, cache, *specs = sys.argv[1:]
    glibc = GenericVirtualPackage(PackageName("__glibc"), Version("2.36"), BuildString("0"))
    records = await solve(sources=[Channel(url)], specs=[MatchSpec(s) for s in specs], platforms=["linux-64", "noarch"],
                          gateway=Gateway(cache_dir=f"{cache}/repodata"), virtual_packages=[glibc], channel_priority=ChannelPriority.Strict)
    if root:
        os.makedirs(f"{root}/opt", exist_ok=True)
        await install(records, f"{root}/opt/env", cache_dir=f"{cache}/packages", show_progress=False, platform=Subdir("linux-64"),
                      alternative_target_prefix="/opt/env")
    print(json.dumps(sorted(str(r.url) for r in records)))


asyncio.run(main())
sys.stdout.flush()
os._exit(0)  # now and then it dumps core on the way out
