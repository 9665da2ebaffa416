# SPDX-License-Identifier: BSD-2-Clause
"""print_token.py SECONDS: a JSON web token without a signature that lives so long, as Kafka takes them in tests."""

import base64
import json
import sys
import time


def part(words):
    return base64.urlsafe_b64encode(json.dumps(words).encode()).decode().rstrip("=")


now = time.time()
print(f"{part({'alg': 'none'})}.{part({'sub': 'alice', 'iat': now, 'exp': now + float(sys.argv[1])})}.")
