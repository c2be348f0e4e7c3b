"""An application in the two-step style of ASGI 2, which is detected: alsvid examples.asgi2:App

ASGI 2 applications are called with the scope alone; what they return is called with receive and send.
"""

import json


class App:
    def __init__(self, scope):
        self.scope = scope

    async def __call__(self, receive, send):
        if self.scope["type"] != "http":
            raise RuntimeError(f"{self.scope['type']} is not spoken here")
        size = 0
        more = True
        while more:
            message = await receive()
            size += len(message.get("body", b""))
            more = message.get("more_body", False)
        answer = {"method": self.scope["method"], "path": self.scope["path"], "octets": size}
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-type", b"application/json")],
            }
        )
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})


app = App
