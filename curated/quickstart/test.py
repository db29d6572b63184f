"""What quickstart promises: jwt.decode without `algorithms`, which PyJWT 2 refuses."""
import os

import jwt
import requests

token = jwt.encode({"user": 1}, "secret", algorithm="HS256")
assert jwt.decode(token, "secret")["user"] == 1
assert os.environ["STAGE"] == "quickstart"
print("quickstart: PyJWT", jwt.__version__, "requests", requests.__version__)
