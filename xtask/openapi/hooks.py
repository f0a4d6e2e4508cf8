"""What schemathesis has to know of Madang: who it is, ids that exist, and what no schema can say.

How: before the first request a small world is made, so that there is one of everything. The formats of ids and emoji
give what exists there. `schemathesis.toml` names the checks and what is left out of them, with reasons.
"""

import base64
import datetime
import json
import os
import urllib.error
import urllib.request

import schemathesis
from hypothesis import strategies as st

SERVER = os.environ["MADANG_URL"]
PASSWORD = "correct horse"
# One pixel, as PNG.
PICTURE = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADE"
    "lEQVR4nGNQaDgAAAIkAWHdFJqQAAAAAElFTkSuQmCC"
)


def call(method, path, body=None, token=None, kind="application/json"):
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{SERVER}/api/v1{path}", data=data, method=method)
    request.add_header("Content-Type", kind)
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request) as answer:
            text = answer.read()
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"{method} {path}: {error.code} {error.read().decode()}") from error
    return json.loads(text) if text else None


def sign_in(name):
    return call("POST", "/auth/login", {"username": name, "password": PASSWORD})["access_token"]


def in_an_hour():
    return (datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)).isoformat()


def make_world():
    """One of everything, made by the owner; the ids by their format."""
    people = [call("POST", "/auth/register", {"username": name, "password": PASSWORD}) for name in ("owner", "bob")]
    owner, bob = (person["access_token"] for person in people)
    workspace = call("POST", "/workspaces", {"name": "Attic", "allow_guests": True}, owner)["id"]
    call("POST", f"/workspaces/{workspace}/members", {"username": "bob"}, owner)
    guest = call("POST", "/auth/guest", {})
    channels, messages = [], []
    for n in range(4):
        body = {"workspace_id": workspace, "name": f"room {n}", "kind": "public"}
        channel = call("POST", "/channels", body, owner)["id"]
        call("POST", f"/channels/{channel}/join", {}, bob)
        channels.append(channel)
        messages += [call("POST", f"/channels/{channel}/messages", {"content": "hi"}, owner)["id"] for _ in range(3)]
    emoji = [add_emoji(owner, workspace, name) for name in ("party_cat", "마당냥")]
    call("POST", f"/channels/{channels[0]}/messages", {"content": "@owner look"}, bob)
    call("POST", f"/messages/{messages[0]}/thread", {"content": "why"}, bob)
    call("POST", f"/messages/{messages[0]}/reactions", {"emoji": "👍"}, bob)
    call("PUT", f"/messages/{messages[0]}/pin", None, owner)
    bob_id = people[1]["user"]["id"]
    direct = call("POST", "/dm", {"user_ids": [bob_id]}, owner)["id"]
    at = in_an_hour()
    return {
        "user-id": [people[0]["user"]["id"], bob_id, guest["user"]["id"]],
        "workspace-id": [workspace],
        "channel-id": [*channels, direct],
        "message-id": messages,
        "session-id": [people[1]["session_id"]],
        "file-id": [*(upload(owner) for _ in range(6)), *emoji],
        "invite-id": [call("POST", f"/workspaces/{workspace}/invites", {}, owner)["id"] for _ in range(2)],
        "reminder-id": [call("POST", "/reminders", {"text": "tea", "remind_at": at}, owner)["id"] for _ in range(2)],
        "report-id": [call("POST", f"/messages/{messages[-1]}/report", {"reason": "spam"}, bob)["id"]],
        "sanction-id": [sanction(owner, workspace, channels[3], bob_id)],
        "scheduled-id": [schedule(owner, channels[0], at) for _ in range(2)],
        # Of these there is nothing that one could ask for by its id.
        "audit-id": ["1"],
        "connection-id": ["1"],
        "notification-id": ["1"],
        "export-id": ["1"],
    }


def upload(token):
    form = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhi\r\n--x--\r\n'
    return call("POST", "/files", form, token, "multipart/form-data; boundary=x")["id"]


def add_emoji(token, workspace, name):
    head = f'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\n{name}\r\n--x\r\n'
    file = 'Content-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    form = (head + file).encode() + base64.b64decode(PICTURE) + b"\r\n--x--\r\n"
    return call("POST", f"/workspaces/{workspace}/emoji", form, token, "multipart/form-data; boundary=x")["id"]


def sanction(token, workspace, channel, user):
    body = {"user_id": user, "channel_id": channel, "kind": "mute", "reason": "loud"}
    return call("POST", f"/workspaces/{workspace}/sanctions", body, token)["id"]


def schedule(token, channel, at):
    return call("POST", f"/channels/{channel}/scheduled", {"content": "later", "send_at": at}, token)["id"]


WORLD = make_world()

# What exists comes more often than what only could.
for name, known in WORLD.items():
    existing = st.sampled_from(known)
    other = st.integers(1, 10**18 - 1).map(str).filter(lambda text, name=name: name != "user-id")
    schemathesis.openapi.format(name, st.one_of(existing, existing, existing, other))
EMOJI = ["👍", "🎉", "❤️", "👨‍👩‍👧‍👦", "1️⃣"]
schemathesis.openapi.format("emoji", st.sampled_from(EMOJI))
schemathesis.openapi.format("reaction", st.sampled_from([*EMOJI, ":party_cat:", ":마당냥:"]))
schemathesis.openapi.format("time-zone", st.sampled_from(["Asia/Seoul", "UTC", "America/Argentina/Ushuaia", "Etc/GMT+9"]))


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """One changes oneself only, and of the channels one is a direct message: else hardly anything would be taken."""
    path, given = context.operation.path, (path_parameters or {}).get("id")
    if given in WORLD["user-id"] and path.startswith("/api/v1/users/") and context.operation.method in ("put", "delete"):
        path_parameters["id"] = WORLD["user-id"][0]
    if given in WORLD["channel-id"] and path.startswith("/api/v1/dm/"):
        path_parameters["id"] = WORLD["channel-id"][-1]
    return path_parameters


@schemathesis.serializer("application/offset+octet-stream")
def piece(context, value):
    return value if isinstance(value, bytes) else str(value).encode()


@schemathesis.auth(refresh_interval=300).skip_for(path_regex="/auth/(sessions|logout)")
class Owner:
    def get(self, case, context):
        return sign_in("owner")

    def set(self, case, data, context):
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}


@schemathesis.auth(refresh_interval=None).apply_to(path_regex="/auth/(sessions|logout)")
class WhoSignsOut(Owner):
    """Ending sessions is tried by someone else, with a session for each try: all other requests go on."""

    def get(self, case, context):
        return sign_in("bob")


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Each status has to be listed: `default`, which stands for any, would let all of them pass. The example of an id
    is nobody's, and would be tried in the place of one that exists."""
    for schema in raw_schema["components"]["schemas"].values():
        if schema.get("format") in WORLD:
            schema.pop("example", None)
    for operations in raw_schema["paths"].values():
        for operation in operations.values():
            if isinstance(operation, dict):
                operation.get("responses", {}).pop("default", None)
