"""What schemathesis has to know of Madang: who it is, ids that exist, and what no schema can say.

How: before the first request a small world is made, so that there is one of everything. The formats of ids and emoji
give what exists there. What a guess hardly ever meets, as a code or something that can be deleted once, is made for
every second try of the operations in `FRESH`; of those in `USED_UP` for all that the document allows, so that the world
stays. At the end it is said which operations never succeeded. `schemathesis.toml` names the checks and what is left out
of them, with reasons.
"""

import atexit
import base64
import collections
import datetime
import json
import os
import time
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


def call(method, path, body=None, token=None, kind="application/json", headers=None):
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{SERVER}/api/v1{path}", data=data, method=method)
    request.add_header("Content-Type", kind)
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    for name, value in (headers or {}).items():
        request.add_header(name, value)
    try:
        with urllib.request.urlopen(request) as answer:
            if place := answer.headers.get("Location"):
                return {"id": place.rsplit("/", 1)[-1]}
            text = answer.read()
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"{method} {path}: {error.code} {error.read().decode()}") from error
    return json.loads(text) if text else None


def sign_in(name):
    return call("POST", "/auth/login", {"username": name, "password": PASSWORD})["access_token"]


def in_an_hour():
    return (datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)).isoformat()


def register(name):
    return call("POST", "/auth/register", {"username": name, "password": PASSWORD})


def make_world():
    """One of everything, made by the owner; the ids by their format."""
    people = [register(name) for name in ("owner", "bob")]
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


def upload(token, content=b"hi"):
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
    form = head + content + b"\r\n--x--\r\n"
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


TUS = {"Tus-Resumable": "1.0.0"}
WORKSPACE, ME = WORLD["workspace-id"][0], WORLD["user-id"][0]
count = iter(range(10**9))


def owner(method, path, body=None, **more):
    return call(method, path, body, sign_in("owner"), **more)


def newcomer(bring_in=True):
    name = f"newcomer{next(count)}"
    came = register(name)
    if bring_in:
        owner("POST", f"/workspaces/{WORKSPACE}/members", {"username": name})
    return came


def channel():
    body = {"workspace_id": WORKSPACE, "name": f"fresh {next(count)}", "kind": "public"}
    return owner("POST", "/channels", body)["id"]


def said(by=None):
    """A new message, by the owner or someone new, and its channel; what was made before may be gone."""
    place = channel()
    token = newcomer()["access_token"] if by else sign_in("owner")
    if by:
        call("POST", f"/channels/{place}/join", {}, token)
    return place, call("POST", f"/channels/{place}/messages", {"content": "hi"}, token)["id"]


def message(by=None):
    return said(by)[1]


def marked():
    place, newest = said()
    return at(id=place) | body(message_id=newest)


def with_member():
    place, user = channel(), newcomer()["user"]["id"]
    owner("POST", f"/channels/{place}/members", {"user_id": user})
    return {"id": place, "user_id": user}


def invite():
    return owner("POST", f"/workspaces/{WORKSPACE}/invites", {})


def tus():
    return owner("POST", "/files/uploads", headers={**TUS, "Upload-Length": "3"})["id"]


def avatar():
    user = owner("PUT", f"/users/{ME}/avatar", base64.b64decode(PICTURE), kind="image/png")
    return dict(zip(("id", "secret"), user["avatar_url"].rsplit("/", 2)[-2:]))


def export(of_workspace, made):
    """Of someone of its own, as there is one an hour; made, or only about to be asked for."""
    token, path, parameters = newcomer(bring_in=False)["access_token"], "/users/me/export", {}
    if of_workspace:
        parameters = {"id": call("POST", "/workspaces", {"name": "Own", "allow_guests": True}, token)["id"]}
        path = f"/workspaces/{parameters['id']}/export"
    if made:
        call("POST", path, None, token)
        while call("GET", path, None, token)["state"] != "ready":
            time.sleep(0.1)
    return {"headers": {"Authorization": f"Bearer {token}"}, "path_parameters": parameters}


def emoji():
    name = f"fresh_{next(count)}"
    return name, add_emoji(sign_in("owner"), WORKSPACE, name)


def draft():
    place = channel()
    owner("PUT", f"/channels/{place}/draft", {"content": "half a"})
    return place


def body(**fields):
    return {"body": fields}


def at(**parameters):
    return {"path_parameters": parameters}


def session():
    return call("POST", "/auth/login", {"username": "bob", "password": PASSWORD})


def a_report():
    return owner("POST", f"/messages/{message('newcomer')}/report", {"reason": "spam"})["id"]


def in_workspace(**more):
    return at(id=WORKSPACE, **more)




def mute():
    return {"user_id": newcomer()["user"]["id"], "kind": "mute", "reason": "loud"}


# What is put into the place of what was guessed.
FRESH = {
    "POST /auth/login": lambda: body(username="owner", password=PASSWORD),
    "POST /auth/refresh": lambda: body(refresh_token=session()["refresh_token"]),
    "DELETE /auth/sessions/{id}": lambda: at(id=session()["session_id"]),
    "GET /avatars/{id}/{secret}": lambda: at(**avatar()),
    "PUT /users/{id}/avatar": lambda: {"body": base64.b64decode(PICTURE)},
    "POST /invites/accept": lambda: body(code=invite()["code"]),
    "POST /invites/preview": lambda: body(code=invite()["code"]),
    "DELETE /workspaces/{id}/invites/{invite_id}": lambda: in_workspace(invite_id=invite()["id"]),
    "POST /reminders": lambda: body(text="tea", remind_at=in_an_hour()),
    "DELETE /reminders/{id}": lambda: at(id=owner("POST", "/reminders", {"text": "x", "remind_at": in_an_hour()})["id"]),
    "POST /channels/{id}/scheduled": lambda: at(id=channel()) | body(content="later", send_at=in_an_hour()),
    "PUT /scheduled/{id}": lambda: at(id=schedule(sign_in("owner"), channel(), in_an_hour())) | body(content="new"),
    "DELETE /scheduled/{id}": lambda: at(id=schedule(sign_in("owner"), channel(), in_an_hour())),
    "GET /channels/{id}/draft": lambda: at(id=draft()),
    "DELETE /channels/{id}/retention": lambda: at(id=channel()),
    "GET /emoji/{id}": lambda: at(id=emoji()[1]),
    "GET /workspaces/{workspace_id}/channels": lambda: at(workspace_id=WORKSPACE),
    "PUT /users/{id}/status": lambda: at(id=ME) | body(status="away"),
    "POST /dm": lambda: body(user_ids=[newcomer()["user"]["id"]]),
    "PUT /channels/{id}/read": marked,
    "PUT /channels/{id}/unread": marked,
    "POST /channels/{id}/members": lambda: at(id=channel()) | body(user_id=newcomer()["user"]["id"]),
    "DELETE /channels/{id}/members/{user_id}": lambda: at(**with_member()),
    "POST /workspaces/{id}/members": lambda: in_workspace() | body(username=newcomer(False)["user"]["username"]),
    "PUT /workspaces/{id}/members/{user_id}": lambda: in_workspace(user_id=newcomer()["user"]["id"]) | body(role="admin"),
    "POST /workspaces/{id}/sanctions": lambda: in_workspace() | {"body": mute()},
    "DELETE /workspaces/{id}/sanctions/{sanction_id}": lambda: in_workspace(
        sanction_id=owner("POST", f"/workspaces/{WORKSPACE}/sanctions", mute())["id"]
    ),
    "PUT /workspaces/{id}/reports/{report_id}": lambda: in_workspace(report_id=a_report()) | body(resolution="dismissed"),
    "POST /messages/{id}/report": lambda: at(id=message("newcomer")) | body(reason="spam"),
    "PUT /messages/{id}": lambda: at(id=message()) | body(content="other"),
    "POST /messages/{id}/thread": lambda: at(id=message()) | body(content="why"),
    "GET /files/{id}/thumbnail": lambda: at(id=upload(sign_in("owner"), base64.b64decode(PICTURE))),
    "POST /files/uploads": lambda: {"headers": {**TUS, "Upload-Length": "3"}},
    "HEAD /files/uploads/{id}": lambda: at(id=tus()) | {"headers": TUS},
    "PATCH /files/uploads/{id}": lambda: at(id=tus()) | {"body": b"abc"},
    "DELETE /files/uploads/{id}": lambda: at(id=tus()) | {"headers": TUS},
    "POST /users/me/export": lambda: export(False, False),
    "GET /users/me/export": lambda: export(False, True),
    "GET /users/me/export/file": lambda: export(False, True),
    "POST /workspaces/{id}/export": lambda: export(True, False),
    "GET /workspaces/{id}/export": lambda: export(True, True),
    "GET /workspaces/{id}/export/file": lambda: export(True, True),
}
USED_UP = {
    "DELETE /channels/{id}": lambda: at(id=channel()),
    "POST /channels/{id}/leave": lambda: at(id=channel()),
    "DELETE /messages/{id}": lambda: at(id=message()),
    "DELETE /workspaces/{id}/members/{user_id}": lambda: in_workspace(user_id=newcomer()["user"]["id"]),
    "DELETE /workspaces/{id}/emoji/{name}": lambda: in_workspace(name=emoji()[0]),
}
tries = collections.Counter()
succeeded, operations = set(), set()


def label(case):
    return f"{case.method.upper()} {case.operation.path.removeprefix('/api/v1')}"


@schemathesis.hook
def before_call(context, case, **kwargs):
    name, meta = label(case), case.meta
    parts = [] if meta is None else [meta.generation, *meta.components.values()]
    if not parts or not all(part.mode.is_positive for part in parts):
        return
    tries[name] += 1
    make = USED_UP.get(name) or (FRESH.get(name) if tries[name] % 2 else None)
    try:
        made = make() if make else {}
    except RuntimeError:
        return  # What was tried before took away what it takes.
    for where, value in made.items():
        known = getattr(case, where)
        if where == "body" or known is None:
            setattr(case, where, value)
        else:
            known.update(value)


@schemathesis.hook
def after_call(context, case, response):
    if response.status_code < 300:
        succeeded.add(label(case))


@atexit.register
def tell():
    never = sorted(operations - succeeded)
    print(f"\n{len(operations) - len(never)} of {len(operations)} operations were answered 2xx; never:", *never, sep="\n  ")


@schemathesis.serializer("application/octet-stream", "application/offset+octet-stream")
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
    for path, methods in raw_schema["paths"].items():
        for method, operation in methods.items():
            if isinstance(operation, dict):
                operations.add(f"{method.upper()} {path.removeprefix('/api/v1')}")
                operation.get("responses", {}).pop("default", None)
