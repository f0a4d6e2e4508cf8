//! What goes out of each table, and what stays. This is the place for a new table or column: into [`SHARED`], into
//! [`OWN`](super::OWN), or into [`LEFT_OUT`] with the reason.
//!
//! In the conditions `$1` is the workspace or the user; `{channels}` are the channels that go out, `{messages}` the ids
//! of the messages that do, `{kept}` these messages with who wrote and pinned them, `{users}` the people.

use madang_proto::{
    files::File, input, limits, mentions::Mention, overrides::Override, threads::MessageThread,
};
use serde_json::Value;

use super::{
    checks::*,
    columns::{Column as C, Refers::*, Table},
};

/// Tables that stay, and why.
pub const LEFT_OUT: &[(&str, &str)] = &[
    ("jobs", "what this installation has to do"),
    ("nodes", "who runs this installation"),
    ("leases", "what those who run it have to do"),
    ("message_words", "the index of search, made anew from the messages"),
    ("search_channels", "the index of search, made anew from the messages"),
    ("exports", "what was made of the others"),
    ("profiles", "a number of this installation"),
    ("moves", "how this installation came into its database"),
];

/// How far people read is theirs: where they come to, all is read.
const ALL_READ: &str = "(SELECT last_seq FROM channels WHERE channels.id = channel_members.channel_id)";
const NOTHING: &str = "CAST(0 AS BIGINT)";

/// What goes out with a workspace; of a user, what is theirs of it.
pub const SHARED: &[Table] = &[
    Table {
        name: "users",
        columns: &[
            C::id("id", OwnUser),
            C::text("username", username),
            C::key("username_key", "username"),
            C::text("display_name", input::display_name),
            C::text("email", input::email).optional().untold("NULL"),
            C::text("avatar_url", picture).optional(),
            C::text("external_id", line).optional().untold("NULL"),
            C::text("about", input::about).optional(),
            C::text("time_zone", input::time_zone).optional(),
            C::text("status", status),
            C::time("dnd_until").optional(),
            C::text("custom_status", input::custom_status).optional(),
            C::text("emoji", input::emoji).optional(),
            C::time("expires_at").optional(),
            C::flag("share_read_marks"),
            C::time("created_at"),
        ],
        left_out: &["password_hash", "version"],
        order: "id",
        of_workspace: Some(
            "id IN (SELECT user_id FROM workspace_members WHERE workspace_id = $1
                    UNION SELECT user_id FROM channel_members WHERE channel_id IN ({channels})
                    UNION SELECT created_by FROM channels WHERE id IN ({channels})
                    UNION SELECT author_id FROM ({kept}) AS written
                    UNION SELECT pinned_by FROM ({kept}) AS pinned
                    UNION SELECT user_id FROM reactions WHERE message_id IN ({messages})
                    UNION SELECT user_id FROM mentions WHERE channel_id IN ({channels})
                    UNION SELECT uploader_id FROM files WHERE state = 'emoji' AND workspace_id = $1
                    UNION SELECT user_id FROM sanctions WHERE workspace_id = $1
                    UNION SELECT created_by FROM sanctions WHERE workspace_id = $1
                    UNION SELECT actor_id FROM audit WHERE workspace_id = $1
                    UNION SELECT user_id FROM audit WHERE workspace_id = $1
                    UNION SELECT author_id FROM reports WHERE workspace_id = $1
                    UNION SELECT reporter_id FROM reports WHERE workspace_id = $1
                    UNION SELECT resolved_by FROM reports WHERE workspace_id = $1)",
        ),
        of_user: Some("id = $1"),
    },
    Table {
        name: "workspaces",
        columns: &[
            C::id("id", Own),
            C::text("name", input::workspace_name),
            C::flag("open"),
            C::flag("allow_guests"),
            C::id("default_channel_id", Channel),
            C::text("edit_history", edit_history),
            C::number("emoji_version").shared(),
            C::number("retention_days").optional().at_most(limits::RETENTION_DAYS),
            C::time("created_at"),
        ],
        left_out: &[],
        order: "id",
        of_workspace: Some("id = $1"),
        of_user: Some("id IN (SELECT workspace_id FROM workspace_members WHERE user_id = $1)"),
    },
    Table {
        name: "workspace_members",
        columns: &[
            C::id("workspace_id", Workspace),
            C::id("user_id", User),
            C::text("role", role),
            C::time("joined_at"),
        ],
        left_out: &[],
        order: "workspace_id, user_id",
        of_workspace: Some("workspace_id = $1"),
        of_user: Some("user_id = $1"),
    },
    Table {
        name: "channels",
        columns: &[
            C::id("id", Own),
            C::id("workspace_id", Workspace),
            C::text("kind", channel_kind),
            C::text("name", channel_name),
            C::key("name_key", "name"),
            C::text("topic", input::topic).shared(),
            C::flag("is_default").shared(),
            C::id("created_by", User).optional().shared(),
            C::number("member_count").shared(),
            C::number("first_seq").shared(),
            C::number("last_seq").shared(),
            C::number("version").shared(),
            C::number("info_version").shared(),
            C::text("people_key", people_key).optional().shared(),
            C::time("last_at").optional().shared(),
            C::id("parent_id", Channel).optional(),
            C::id("root_id", Message).optional(),
            C::number("deleted_count").shared(),
            C::flag("untold").shared(),
            C::json("overrides", object::<Vec<Override>>).shared(),
            C::number("slow_mode").shared(),
            C::number("retention_days").optional().at_most(limits::RETENTION_DAYS).shared(),
            C::time("created_at"),
            C::time("archived_at").optional().shared(),
            C::time("deleted_at").optional().shared(),
        ],
        // None of its messages is in an archive where they come to.
        left_out: &["archived_version"],
        order: "id",
        of_workspace: Some("id IN ({channels})"),
        of_user: Some(
            "id IN (SELECT channel_id FROM channel_members WHERE user_id = $1 AND left_at IS NULL)
             AND deleted_at IS NULL",
        ),
    },
    Table {
        name: "channel_members",
        columns: &[
            C::id("channel_id", Channel),
            C::id("user_id", User),
            C::number("last_read_seq").untold(ALL_READ),
            C::number("read_version").untold(NOTHING),
            C::number("seen_seq").untold(NOTHING),
            C::json("own_after", object::<Vec<i64>>).untold("NULL"),
            C::number("version"),
            C::time("joined_at"),
            C::time("left_at").optional(),
        ],
        left_out: &["turn_at"],
        order: "channel_id, user_id",
        of_workspace: Some("channel_id IN ({channels})"),
        of_user: Some("user_id = $1"),
    },
    Table {
        name: "messages",
        columns: &[
            C::id("id", Own),
            C::id("channel_id", Channel),
            C::number("seq"),
            C::number("version"),
            C::id("author_id", User),
            C::text("content", input::caption),
            C::text("nonce", input::nonce).optional(),
            C::time("created_at"),
            C::time("edited_at").optional(),
            C::time("deleted_at").optional(),
            C::flag("changed").shared(),
            C::json("reactions", reactions),
            C::json("mentions", object::<Vec<Mention>>),
            C::json("thread", object::<MessageThread>),
            C::json("files", object::<Vec<File>>),
            C::json("previews", previews),
            C::time("pinned_at").optional(),
            C::id("pinned_by", User).optional().shared(),
        ],
        left_out: &[],
        order: "channel_id, seq",
        of_workspace: Some("channel_id IN ({channels})"),
        of_user: Some("author_id = $1"),
    },
    Table {
        name: "message_nonces",
        columns: &[C::id("author_id", User), C::text("nonce", input::nonce), C::id("message_id", Message)],
        left_out: &[],
        order: "message_id",
        of_workspace: Some("message_id IN ({messages})"),
        of_user: None,
    },
    Table {
        name: "edits",
        columns: &[
            C::id("message_id", Message),
            C::number("version"),
            C::text("content", input::caption),
            C::time("created_at"),
        ],
        left_out: &[],
        order: "message_id, version",
        of_workspace: Some("message_id IN ({messages})"),
        of_user: Some("message_id IN ({messages})"),
    },
    Table {
        name: "reactions",
        columns: &[
            C::id("message_id", Message),
            C::id("user_id", User),
            C::text("emoji", emoji),
            C::number("version"),
        ],
        left_out: &[],
        order: "message_id, user_id, version",
        of_workspace: Some("message_id IN ({messages})"),
        of_user: Some("user_id = $1"),
    },
    Table {
        name: "mentions",
        columns: &[
            C::id("channel_id", Channel),
            C::number("seq"),
            C::id("user_id", User).or_zero(),
            C::people("people"),
        ],
        left_out: &[],
        order: "channel_id, seq, user_id",
        of_workspace: Some(
            "channel_id IN ({channels})
             AND seq >= (SELECT first_seq FROM channels WHERE channels.id = mentions.channel_id)",
        ),
        of_user: Some("user_id = $1"),
    },
    Table {
        name: "files",
        columns: &[
            C::id("id", Own),
            C::id("uploader_id", User),
            C::text("state", file_state),
            C::text("name", file_name),
            C::text("media_type", media_type),
            C::number("size"),
            C::text("sha256", sha256),
            C::number("width").optional(),
            C::number("height").optional(),
            C::number("duration_ms").optional(),
            C::flag("thumbnail"),
            C::time("created_at"),
            C::id("message_id", Message).optional(),
            C::id("channel_id", Channel).optional(),
            C::id("workspace_id", Workspace).optional(),
        ],
        left_out: &[],
        order: "id",
        of_workspace: Some(
            "(state = 'ready' AND message_id IN ({messages})) OR (state = 'emoji' AND workspace_id = $1)
             OR (state = 'avatar' AND uploader_id IN ({users}))",
        ),
        of_user: Some("state IN ('ready', 'emoji', 'avatar') AND uploader_id = $1"),
    },
    Table {
        name: "sanctions",
        columns: &[
            C::id("id", Own),
            C::id("workspace_id", Workspace),
            C::id("channel_id", Channel).or_zero(),
            C::id("user_id", User),
            C::text("kind", sanction_kind),
            C::text("reason", input::reason),
            C::id("created_by", User).shared(),
            C::time("created_at"),
            C::time("expires_at").optional(),
        ],
        left_out: &[],
        order: "id",
        of_workspace: Some("workspace_id = $1 AND (channel_id = 0 OR channel_id IN ({channels}))"),
        of_user: Some("user_id = $1"),
    },
    Table {
        name: "visits",
        columns: &[
            C::id("invite_id", Anything),
            C::id("user_id", User),
            C::id("workspace_id", Workspace),
            C::id("channel_id", Channel),
            C::time("access_until"),
        ],
        left_out: &[],
        order: "invite_id, user_id",
        of_workspace: Some("workspace_id = $1 AND channel_id IN ({channels})"),
        of_user: Some("user_id = $1"),
    },
    Table {
        name: "audit",
        columns: &[
            C::id("id", Own),
            C::id("workspace_id", Workspace),
            C::id("actor_id", User),
            C::text("action", action),
            C::id("user_id", User).optional(),
            C::id("channel_id", Anything).optional(),
            C::id("message_id", Anything).optional(),
            C::json("before", object::<Value>),
            C::json("after", object::<Value>),
            C::time("created_at"),
        ],
        left_out: &[],
        order: "id",
        of_workspace: Some("workspace_id = $1"),
        of_user: Some("actor_id = $1"),
    },
    Table {
        name: "reports",
        columns: &[
            C::id("id", Own),
            C::id("workspace_id", Workspace),
            C::id("channel_id", Channel),
            C::id("message_id", Anything),
            C::id("author_id", User).shared(),
            C::text("content", input::caption).shared(),
            C::id("reporter_id", User),
            C::text("reason", input::reason),
            C::time("created_at"),
            C::text("resolution", resolution).optional(),
            C::id("resolved_by", User).optional().shared(),
            C::time("resolved_at").optional(),
        ],
        left_out: &[],
        order: "id",
        of_workspace: Some("workspace_id = $1 AND channel_id IN ({channels})"),
        of_user: Some("reporter_id = $1"),
    },
];
