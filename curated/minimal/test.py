"""What minimal promises: a python that can speak TLS, knows time zones, and has pip."""
import ssl
import sys
import zoneinfo

import pip

assert sys.prefix == "/opt/env" and sys.version_info[:2] == (3, 13), sys.version
assert ssl.create_default_context().cert_store_stats()["x509_ca"] > 50
assert zoneinfo.ZoneInfo("Asia/Tokyo").key == "Asia/Tokyo"
print("minimal: python", sys.version.split()[0], "pip", pip.__version__)
