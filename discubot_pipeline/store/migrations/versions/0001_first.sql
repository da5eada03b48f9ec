-- The first tables of the schema discubot.

CREATE TYPE discubot.source_type AS ENUM ('slack', 'generic', 'notion', 'figma', 'mailgun');
CREATE TYPE discubot.delivery_status AS ENUM ('pending', 'requested', 'running', 'done', 'ignored', 'failed', 'dead', 'held');
CREATE TYPE discubot.delivery_kind AS ENUM ('mention', 'page');
CREATE TYPE discubot.discussion_status AS ENUM ('new', 'processing', 'completed', 'partial', 'failed', 'cancelled');
CREATE TYPE discubot.sentiment AS ENUM ('positive', 'neutral', 'negative');
CREATE TYPE discubot.task_state AS ENUM ('creating', 'created', 'failed');
CREATE TYPE discubot.priority AS ENUM ('low', 'medium', 'high', 'urgent');
CREATE TYPE discubot.task_type AS ENUM ('bug', 'feature', 'question', 'improvement');
CREATE TYPE discubot.stage AS ENUM ('ingestion', 'config_loading', 'thread_building', 'ai_analysis', 'task_creation', 'notification');
CREATE TYPE discubot.step_status AS ENUM ('running', 'completed', 'retrying', 'ignored', 'deferred', 'failed');
CREATE TYPE discubot.run_outcome AS ENUM ('completed', 'partial', 'deferred', 'ignored', 'failed', 'cancelled');
CREATE TYPE discubot.trigger AS ENUM ('webhook', 'manual', 'schedule', 'retry', 'backfill');
CREATE TYPE discubot.scope AS ENUM ('team', 'system');
CREATE TYPE discubot.reasoning_status AS ENUM ('pending', 'processing', 'completed', 'failed');
CREATE TYPE discubot.role AS ENUM ('member', 'admin');
CREATE TYPE discubot.person_match AS ENUM ('email', 'name', 'manual', 'imported');
CREATE TYPE discubot.message_role AS ENUM ('user', 'assistant', 'system');
CREATE TYPE discubot.operation_kind AS ENUM ('import', 'delete', 'export', 'statistics');
CREATE TYPE discubot.hook_kind AS ENUM ('webhook', 'slack');
CREATE TYPE discubot.hook_event AS ENUM ('job.completed', 'job.partial', 'job.failed', 'job.cancelled');
CREATE TYPE discubot.hook_status AS ENUM ('pending', 'sent', 'failed');

CREATE TABLE discubot.teams (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    name TEXT NOT NULL,
    preferences JSONB DEFAULT '{}' NOT NULL,
    model_credentials BYTEA,
    version INTEGER DEFAULT '1' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_by TEXT DEFAULT 'system' NOT NULL,
    updated_by TEXT DEFAULT 'system' NOT NULL,
    CONSTRAINT pk_teams PRIMARY KEY (id),
    CONSTRAINT ck_teams_name CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    CONSTRAINT uq_teams_name UNIQUE (name)
);

CREATE TABLE discubot.tokens (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    team_id UUID NOT NULL,
    name TEXT NOT NULL,
    role discubot.role DEFAULT 'member' NOT NULL,
    hash BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_by TEXT DEFAULT 'system' NOT NULL,
    updated_by TEXT DEFAULT 'system' NOT NULL,
    CONSTRAINT pk_tokens PRIMARY KEY (id),
    CONSTRAINT uq_tokens_team_id_name UNIQUE (team_id, name),
    CONSTRAINT fk_tokens_team_id FOREIGN KEY(team_id) REFERENCES discubot.teams (id) ON DELETE CASCADE,
    CONSTRAINT uq_tokens_hash UNIQUE (hash)
);

CREATE TABLE discubot.source_configs (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    team_id UUID NOT NULL,
    source discubot.source_type NOT NULL,
    name TEXT NOT NULL,
    hook TEXT NOT NULL,
    workspace TEXT,
    credentials BYTEA NOT NULL,
    model_credentials BYTEA,
    preferences JSONB DEFAULT '{}' NOT NULL,
    active BOOLEAN DEFAULT true NOT NULL,
    version INTEGER DEFAULT '1' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_by TEXT DEFAULT 'system' NOT NULL,
    updated_by TEXT DEFAULT 'system' NOT NULL,
    CONSTRAINT pk_source_configs PRIMARY KEY (id),
    CONSTRAINT uq_source_configs_team_id_name UNIQUE (team_id, name),
    CONSTRAINT fk_source_configs_team_id FOREIGN KEY(team_id) REFERENCES discubot.teams (id) ON DELETE CASCADE,
    CONSTRAINT uq_source_configs_hook UNIQUE (hook)
);
CREATE INDEX ix_source_configs_source ON discubot.source_configs (source);

CREATE TABLE discubot.outputs (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    team_id UUID NOT NULL,
    source_config_id UUID NOT NULL,
    name TEXT NOT NULL,
    database_id TEXT NOT NULL,
    data_source_id TEXT,
    credentials BYTEA NOT NULL,
    domains TEXT[] DEFAULT '{}' NOT NULL,
    field_map JSONB DEFAULT '{}' NOT NULL,
    value_map JSONB DEFAULT '{}' NOT NULL,
    is_default BOOLEAN DEFAULT false NOT NULL,
    active BOOLEAN DEFAULT true NOT NULL,
    version INTEGER DEFAULT '1' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_by TEXT DEFAULT 'system' NOT NULL,
    updated_by TEXT DEFAULT 'system' NOT NULL,
    CONSTRAINT pk_outputs PRIMARY KEY (id),
    CONSTRAINT uq_outputs_source_config_id_name UNIQUE (source_config_id, name),
    CONSTRAINT fk_outputs_team_id FOREIGN KEY(team_id) REFERENCES discubot.teams (id) ON DELETE CASCADE,
    CONSTRAINT fk_outputs_source_config_id FOREIGN KEY(source_config_id) REFERENCES discubot.source_configs (id) ON DELETE CASCADE
);
CREATE INDEX ix_outputs_team_id ON discubot.outputs (team_id);
CREATE UNIQUE INDEX uq_outputs_default ON discubot.outputs (source_config_id) WHERE is_default AND active;

CREATE SEQUENCE discubot.delivery_id_seq;

CREATE TABLE discubot.inbox_slack (
    id BIGINT DEFAULT nextval('discubot.delivery_id_seq') NOT NULL,
    team_id UUID NOT NULL,
    source_config_id UUID NOT NULL,
    status discubot.delivery_status DEFAULT 'pending' NOT NULL,
    reason TEXT,
    error TEXT,
    kind discubot.delivery_kind DEFAULT 'mention' NOT NULL,
    trigger discubot.trigger DEFAULT 'webhook' NOT NULL,
    delivery_key TEXT NOT NULL,
    message_key TEXT,
    gesture_key TEXT,
    thread_id TEXT,
    discussion_id UUID,
    payload JSONB,
    generation INTEGER DEFAULT '0' NOT NULL,
    expiries INTEGER DEFAULT '0' NOT NULL,
    not_before TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    leased_until TIMESTAMP WITH TIME ZONE,
    run_key TEXT,
    run_id TEXT,
    received_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    replayed_by TEXT,
    replayed_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_by TEXT DEFAULT 'system' NOT NULL,
    updated_by TEXT DEFAULT 'system' NOT NULL,
    CONSTRAINT pk_inbox_slack PRIMARY KEY (id),
    CONSTRAINT uq_inbox_slack_source_config_id_delivery_key UNIQUE (source_config_id, delivery_key),
    CONSTRAINT uq_inbox_slack_source_config_id_message_key UNIQUE (source_config_id, message_key),
    CONSTRAINT uq_inbox_slack_source_config_id_gesture_key UNIQUE (source_config_id, gesture_key),
    CONSTRAINT ck_inbox_slack_thread CHECK (status = 'ignored' OR thread_id IS NOT NULL),
    CONSTRAINT ck_inbox_slack_discussion CHECK ((thread_id IS NULL) = (discussion_id IS NULL)),
    CONSTRAINT fk_inbox_slack_team_id FOREIGN KEY(team_id) REFERENCES discubot.teams (id) ON DELETE CASCADE,
    CONSTRAINT fk_inbox_slack_source_config_id FOREIGN KEY(source_config_id) REFERENCES discubot.source_configs (id) ON DELETE CASCADE
);
CREATE INDEX ix_inbox_slack_backfill ON discubot.inbox_slack (created_by) WHERE trigger = 'backfill';
CREATE INDEX ix_inbox_slack_discussion_id ON discubot.inbox_slack (discussion_id);
CREATE INDEX ix_inbox_slack_leases ON discubot.inbox_slack (leased_until) WHERE status = 'requested';
CREATE INDEX ix_inbox_slack_open ON discubot.inbox_slack (discussion_id) WHERE status IN ('requested', 'running');
CREATE INDEX ix_inbox_slack_payloads ON discubot.inbox_slack (finished_at) WHERE payload IS NOT NULL;
CREATE INDEX ix_inbox_slack_pending ON discubot.inbox_slack (not_before, id) WHERE status = 'pending';
CREATE INDEX ix_inbox_slack_run_id ON discubot.inbox_slack (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX ix_inbox_slack_team_id_received_at_id ON discubot.inbox_slack (team_id, received_at, id);
CREATE INDEX ix_inbox_slack_team_id_status_received_at_id ON discubot.inbox_slack (team_id, status, received_at, id);

CREATE TABLE discubot.inbox_generic (
    id BIGINT DEFAULT nextval('discubot.delivery_id_seq') NOT NULL,
    team_id UUID NOT NULL,
    source_config_id UUID NOT NULL,
    status discubot.delivery_status DEFAULT 'pending' NOT NULL,
    reason TEXT,
    error TEXT,
    kind discubot.delivery_kind DEFAULT 'mention' NOT NULL,
    trigger discubot.trigger DEFAULT 'webhook' NOT NULL,
    delivery_key TEXT NOT NULL,
    message_key TEXT,
    gesture_key TEXT,
    thread_id TEXT,
    discussion_id UUID,
    payload JSONB,
    generation INTEGER DEFAULT '0' NOT NULL,
    expiries INTEGER DEFAULT '0' NOT NULL,
    not_before TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    leased_until TIMESTAMP WITH TIME ZONE,
    run_key TEXT,
    run_id TEXT,
    received_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    replayed_by TEXT,
    replayed_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_by TEXT DEFAULT 'system' NOT NULL,
    updated_by TEXT DEFAULT 'system' NOT NULL,
    CONSTRAINT pk_inbox_generic PRIMARY KEY (id),
    CONSTRAINT uq_inbox_generic_source_config_id_delivery_key UNIQUE (source_config_id, delivery_key),
    CONSTRAINT uq_inbox_generic_source_config_id_message_key UNIQUE (source_config_id, message_key),
    CONSTRAINT uq_inbox_generic_source_config_id_gesture_key UNIQUE (source_config_id, gesture_key),
    CONSTRAINT ck_inbox_generic_thread CHECK (status = 'ignored' OR thread_id IS NOT NULL),
    CONSTRAINT ck_inbox_generic_discussion CHECK ((thread_id IS NULL) = (discussion_id IS NULL)),
    CONSTRAINT fk_inbox_generic_team_id FOREIGN KEY(team_id) REFERENCES discubot.teams (id) ON DELETE CASCADE,
    CONSTRAINT fk_inbox_generic_source_config_id FOREIGN KEY(source_config_id) REFERENCES discubot.source_configs (id) ON DELETE CASCADE
);
CREATE INDEX ix_inbox_generic_backfill ON discubot.inbox_generic (created_by) WHERE trigger = 'backfill';
CREATE INDEX ix_inbox_generic_discussion_id ON discubot.inbox_generic (discussion_id);
CREATE INDEX ix_inbox_generic_leases ON discubot.inbox_generic (leased_until) WHERE status = 'requested';
CREATE INDEX ix_inbox_generic_open ON discubot.inbox_generic (discussion_id) WHERE status IN ('requested', 'running');
CREATE INDEX ix_inbox_generic_payloads ON discubot.inbox_generic (finished_at) WHERE payload IS NOT NULL;
CREATE INDEX ix_inbox_generic_pending ON discubot.inbox_generic (not_before, id) WHERE status = 'pending';
CREATE INDEX ix_inbox_generic_run_id ON discubot.inbox_generic (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX ix_inbox_generic_team_id_received_at_id ON discubot.inbox_generic (team_id, received_at, id);
CREATE INDEX ix_inbox_generic_team_id_status_received_at_id ON discubot.inbox_generic (team_id, status, received_at, id);

CREATE TABLE discubot.inbox_notion (
    id BIGINT DEFAULT nextval('discubot.delivery_id_seq') NOT NULL,
    team_id UUID NOT NULL,
    source_config_id UUID NOT NULL,
    status discubot.delivery_status DEFAULT 'pending' NOT NULL,
    reason TEXT,
    error TEXT,
    kind discubot.delivery_kind DEFAULT 'mention' NOT NULL,
    trigger discubot.trigger DEFAULT 'webhook' NOT NULL,
    delivery_key TEXT NOT NULL,
    message_key TEXT,
    gesture_key TEXT,
    thread_id TEXT,
    discussion_id UUID,
    payload JSONB,
    generation INTEGER DEFAULT '0' NOT NULL,
    expiries INTEGER DEFAULT '0' NOT NULL,
    not_before TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    leased_until TIMESTAMP WITH TIME ZONE,
    run_key TEXT,
    run_id TEXT,
    received_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    replayed_by TEXT,
    replayed_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_by TEXT DEFAULT 'system' NOT NULL,
    updated_by TEXT DEFAULT 'system' NOT NULL,
    CONSTRAINT pk_inbox_notion PRIMARY KEY (id),
    CONSTRAINT uq_inbox_notion_source_config_id_delivery_key UNIQUE (source_config_id, delivery_key),
    CONSTRAINT uq_inbox_notion_source_config_id_message_key UNIQUE (source_config_id, message_key),
    CONSTRAINT uq_inbox_notion_source_config_id_gesture_key UNIQUE (source_config_id, gesture_key),
    CONSTRAINT ck_inbox_notion_thread CHECK (status = 'ignored' OR thread_id IS NOT NULL),
    CONSTRAINT ck_inbox_notion_discussion CHECK ((thread_id IS NULL) = (discussion_id IS NULL)),
    CONSTRAINT fk_inbox_notion_team_id FOREIGN KEY(team_id) REFERENCES discubot.teams (id) ON DELETE CASCADE,
    CONSTRAINT fk_inbox_notion_source_config_id FOREIGN KEY(source_config_id) REFERENCES discubot.source_configs (id) ON DELETE CASCADE
);
CREATE INDEX ix_inbox_notion_backfill ON discubot.inbox_notion (created_by) WHERE trigger = 'backfill';
CREATE INDEX ix_inbox_notion_discussion_id ON discubot.inbox_notion (discussion_id);
CREATE INDEX ix_inbox_notion_leases ON discubot.inbox_notion (leased_until) WHERE status = 'requested';
CREATE INDEX ix_inbox_notion_open ON discubot.inbox_notion (discussion_id) WHERE status IN ('requested', 'running');
CREATE INDEX ix_inbox_notion_payloads ON discubot.inbox_notion (finished_at) WHERE payload IS NOT NULL;
CREATE INDEX ix_inbox_notion_pending ON discubot.inbox_notion (not_before, id) WHERE status = 'pending';
CREATE INDEX ix_inbox_notion_run_id ON discubot.inbox_notion (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX ix_inbox_notion_team_id_received_at_id ON discubot.inbox_notion (team_id, received_at, id);
CREATE INDEX ix_inbox_notion_team_id_status_received_at_id ON discubot.inbox_notion (team_id, status, received_at, id);

CREATE TABLE discubot.inbox_figma (
    id BIGINT DEFAULT nextval('discubot.delivery_id_seq') NOT NULL,
    team_id UUID NOT NULL,
    source_config_id UUID NOT NULL,
    status discubot.delivery_status DEFAULT 'pending' NOT NULL,
    reason TEXT,
    error TEXT,
    kind discubot.delivery_kind DEFAULT 'mention' NOT NULL,
    trigger discubot.trigger DEFAULT 'webhook' NOT NULL,
    delivery_key TEXT NOT NULL,
    message_key TEXT,
    gesture_key TEXT,
    thread_id TEXT,
    discussion_id UUID,
    payload JSONB,
    generation INTEGER DEFAULT '0' NOT NULL,
    expiries INTEGER DEFAULT '0' NOT NULL,
    not_before TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    leased_until TIMESTAMP WITH TIME ZONE,
    run_key TEXT,
    run_id TEXT,
    received_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    replayed_by TEXT,
    replayed_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_by TEXT DEFAULT 'system' NOT NULL,
    updated_by TEXT DEFAULT 'system' NOT NULL,
    CONSTRAINT pk_inbox_figma PRIMARY KEY (id),
    CONSTRAINT uq_inbox_figma_source_config_id_delivery_key UNIQUE (source_config_id, delivery_key),
    CONSTRAINT uq_inbox_figma_source_config_id_message_key UNIQUE (source_config_id, message_key),
    CONSTRAINT uq_inbox_figma_source_config_id_gesture_key UNIQUE (source_config_id, gesture_key),
    CONSTRAINT ck_inbox_figma_thread CHECK (status = 'ignored' OR thread_id IS NOT NULL),
    CONSTRAINT ck_inbox_figma_discussion CHECK ((thread_id IS NULL) = (discussion_id IS NULL)),
    CONSTRAINT fk_inbox_figma_team_id FOREIGN KEY(team_id) REFERENCES discubot.teams (id) ON DELETE CASCADE,
    CONSTRAINT fk_inbox_figma_source_config_id FOREIGN KEY(source_config_id) REFERENCES discubot.source_configs (id) ON DELETE CASCADE
);
CREATE INDEX ix_inbox_figma_backfill ON discubot.inbox_figma (created_by) WHERE trigger = 'backfill';
CREATE INDEX ix_inbox_figma_discussion_id ON discubot.inbox_figma (discussion_id);
CREATE INDEX ix_inbox_figma_leases ON discubot.inbox_figma (leased_until) WHERE status = 'requested';
CREATE INDEX ix_inbox_figma_open ON discubot.inbox_figma (discussion_id) WHERE status IN ('requested', 'running');
CREATE INDEX ix_inbox_figma_payloads ON discubot.inbox_figma (finished_at) WHERE payload IS NOT NULL;
CREATE INDEX ix_inbox_figma_pending ON discubot.inbox_figma (not_before, id) WHERE status = 'pending';
CREATE INDEX ix_inbox_figma_run_id ON discubot.inbox_figma (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX ix_inbox_figma_team_id_received_at_id ON discubot.inbox_figma (team_id, received_at, id);
CREATE INDEX ix_inbox_figma_team_id_status_received_at_id ON discubot.inbox_figma (team_id, status, received_at, id);

CREATE TABLE discubot.inbox_mailgun (
    id BIGINT DEFAULT nextval('discubot.delivery_id_seq') NOT NULL,
    team_id UUID NOT NULL,
    source_config_id UUID NOT NULL,
    status discubot.delivery_status DEFAULT 'pending' NOT NULL,
    reason TEXT,
    error TEXT,
    kind discubot.delivery_kind DEFAULT 'mention' NOT NULL,
    trigger discubot.trigger DEFAULT 'webhook' NOT NULL,
    delivery_key TEXT NOT NULL,
    message_key TEXT,
    gesture_key TEXT,
    thread_id TEXT,
    discussion_id UUID,
    payload JSONB,
    generation INTEGER DEFAULT '0' NOT NULL,
    expiries INTEGER DEFAULT '0' NOT NULL,
    not_before TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    leased_until TIMESTAMP WITH TIME ZONE,
    run_key TEXT,
    run_id TEXT,
    received_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    replayed_by TEXT,
    replayed_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_by TEXT DEFAULT 'system' NOT NULL,
    updated_by TEXT DEFAULT 'system' NOT NULL,
    CONSTRAINT pk_inbox_mailgun PRIMARY KEY (id),
    CONSTRAINT uq_inbox_mailgun_source_config_id_delivery_key UNIQUE (source_config_id, delivery_key),
    CONSTRAINT uq_inbox_mailgun_source_config_id_message_key UNIQUE (source_config_id, message_key),
    CONSTRAINT uq_inbox_mailgun_source_config_id_gesture_key UNIQUE (source_config_id, gesture_key),
    CONSTRAINT ck_inbox_mailgun_thread CHECK (status = 'ignored' OR thread_id IS NOT NULL),
    CONSTRAINT ck_inbox_mailgun_discussion CHECK ((thread_id IS NULL) = (discussion_id IS NULL)),
    CONSTRAINT fk_inbox_mailgun_team_id FOREIGN KEY(team_id) REFERENCES discubot.teams (id) ON DELETE CASCADE,
    CONSTRAINT fk_inbox_mailgun_source_config_id FOREIGN KEY(source_config_id) REFERENCES discubot.source_configs (id) ON DELETE CASCADE
);
CREATE INDEX ix_inbox_mailgun_backfill ON discubot.inbox_mailgun (created_by) WHERE trigger = 'backfill';
CREATE INDEX ix_inbox_mailgun_discussion_id ON discubot.inbox_mailgun (discussion_id);
CREATE INDEX ix_inbox_mailgun_leases ON discubot.inbox_mailgun (leased_until) WHERE status = 'requested';
CREATE INDEX ix_inbox_mailgun_open ON discubot.inbox_mailgun (discussion_id) WHERE status IN ('requested', 'running');
CREATE INDEX ix_inbox_mailgun_payloads ON discubot.inbox_mailgun (finished_at) WHERE payload IS NOT NULL;
CREATE INDEX ix_inbox_mailgun_pending ON discubot.inbox_mailgun (not_before, id) WHERE status = 'pending';
CREATE INDEX ix_inbox_mailgun_run_id ON discubot.inbox_mailgun (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX ix_inbox_mailgun_team_id_received_at_id ON discubot.inbox_mailgun (team_id, received_at, id);
CREATE INDEX ix_inbox_mailgun_team_id_status_received_at_id ON discubot.inbox_mailgun (team_id, status, received_at, id);

CREATE TABLE discubot.discussions (
    id UUID NOT NULL,
    team_id UUID NOT NULL,
    source_config_id UUID,
    source_type discubot.source_type NOT NULL,
    source_thread_id TEXT NOT NULL,
    source_url TEXT,
    title TEXT DEFAULT '' NOT NULL,
    is_renamed BOOLEAN DEFAULT false NOT NULL,
    content TEXT DEFAULT '' NOT NULL,
    author_id TEXT,
    author_handle TEXT,
    author_name TEXT,
    participants TEXT[] DEFAULT '{}' NOT NULL,
    status discubot.discussion_status DEFAULT 'processing' NOT NULL,
    reason TEXT,
    error TEXT,
    failed_stage discubot.stage,
    run_id TEXT,
    active_run_id TEXT,
    ai_summary TEXT,
    ai_key_points TEXT[] DEFAULT '{}' NOT NULL,
    ai_action_items TEXT[] DEFAULT '{}' NOT NULL,
    sentiment discubot.sentiment,
    confidence FLOAT,
    analyst TEXT,
    prompt_tokens BIGINT DEFAULT '0' NOT NULL,
    answer_tokens BIGINT DEFAULT '0' NOT NULL,
    cost_usd NUMERIC(12, 6) DEFAULT '0' NOT NULL,
    is_multi_task BOOLEAN DEFAULT false NOT NULL,
    total_messages INTEGER DEFAULT '0' NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE,
    processing_ms INTEGER,
    completed_at TIMESTAMP WITH TIME ZONE,
    retry_until TIMESTAMP WITH TIME ZONE,
    version INTEGER DEFAULT '1' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_by TEXT DEFAULT 'system' NOT NULL,
    updated_by TEXT DEFAULT 'system' NOT NULL,
    CONSTRAINT pk_discussions PRIMARY KEY (id),
    CONSTRAINT uq_discussions_team_id_source_type_source_thread_id UNIQUE (team_id, source_type, source_thread_id),
    CONSTRAINT fk_discussions_team_id FOREIGN KEY(team_id) REFERENCES discubot.teams (id) ON DELETE CASCADE,
    CONSTRAINT fk_discussions_source_config_id FOREIGN KEY(source_config_id) REFERENCES discubot.source_configs (id) ON DELETE SET NULL
);
CREATE INDEX ix_discussions_active ON discubot.discussions (active_run_id) WHERE active_run_id IS NOT NULL;
CREATE INDEX ix_discussions_source_config_id ON discubot.discussions (source_config_id);
CREATE INDEX ix_discussions_team_id_created_at_id ON discubot.discussions (team_id, created_at, id);
CREATE INDEX ix_discussions_team_id_source_type_created_at_id ON discubot.discussions (team_id, source_type, created_at, id);
CREATE INDEX ix_discussions_team_id_status_created_at_id ON discubot.discussions (team_id, status, created_at, id);

CREATE TABLE discubot.messages (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    team_id UUID NOT NULL,
    discussion_id UUID NOT NULL,
    source_message_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    is_added BOOLEAN DEFAULT false NOT NULL,
    role discubot.message_role DEFAULT 'user' NOT NULL,
    persona TEXT,
    author_id TEXT NOT NULL,
    author_name TEXT NOT NULL,
    author_handle TEXT,
    content TEXT NOT NULL,
    url TEXT,
    attachments JSONB DEFAULT '[]' NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_by TEXT DEFAULT 'system' NOT NULL,
    updated_by TEXT DEFAULT 'system' NOT NULL,
    CONSTRAINT pk_messages PRIMARY KEY (id),
    CONSTRAINT uq_messages_discussion_id_source_message_id UNIQUE (discussion_id, source_message_id),
    CONSTRAINT fk_messages_team_id FOREIGN KEY(team_id) REFERENCES discubot.teams (id) ON DELETE CASCADE,
    CONSTRAINT fk_messages_discussion_id FOREIGN KEY(discussion_id) REFERENCES discubot.discussions (id) ON DELETE CASCADE
);
CREATE INDEX ix_messages_discussion_id_position_id ON discubot.messages (discussion_id, position, id);

CREATE TABLE discubot.tasks (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    team_id UUID NOT NULL,
    discussion_id UUID NOT NULL,
    output_id UUID,
    run_id TEXT,
    key TEXT NOT NULL,
    state discubot.task_state DEFAULT 'creating' NOT NULL,
    reason TEXT,
    error TEXT,
    notion_page_id TEXT,
    notion_page_url TEXT,
    page_created_at TIMESTAMP WITH TIME ZONE,
    skipped TEXT[] DEFAULT '{}' NOT NULL,
    title TEXT NOT NULL,
    description TEXT DEFAULT '' NOT NULL,
    status TEXT,
    priority discubot.priority,
    type discubot.task_type,
    assignee TEXT,
    due_date DATE,
    tags TEXT[] DEFAULT '{}' NOT NULL,
    domain TEXT,
    action_items TEXT[] DEFAULT '{}' NOT NULL,
    summary TEXT DEFAULT '' NOT NULL,
    source_url TEXT,
    is_multi_task_child BOOLEAN DEFAULT false NOT NULL,
    task_index INTEGER DEFAULT '0' NOT NULL,
    completed_at TIMESTAMP WITH TIME ZONE,
    completions INTEGER DEFAULT '0' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_by TEXT DEFAULT 'system' NOT NULL,
    updated_by TEXT DEFAULT 'system' NOT NULL,
    CONSTRAINT pk_tasks PRIMARY KEY (id),
    CONSTRAINT ck_tasks_created_page CHECK (state <> 'created' OR notion_page_id IS NOT NULL),
    CONSTRAINT fk_tasks_team_id FOREIGN KEY(team_id) REFERENCES discubot.teams (id) ON DELETE CASCADE,
    CONSTRAINT fk_tasks_discussion_id FOREIGN KEY(discussion_id) REFERENCES discubot.discussions (id) ON DELETE CASCADE,
    CONSTRAINT fk_tasks_output_id FOREIGN KEY(output_id) REFERENCES discubot.outputs (id) ON DELETE SET NULL,
    CONSTRAINT uq_tasks_key UNIQUE (key),
    CONSTRAINT uq_tasks_notion_page_id UNIQUE (notion_page_id)
);
CREATE INDEX ix_tasks_discussion_id_task_index ON discubot.tasks (discussion_id, task_index);
CREATE INDEX ix_tasks_run_id ON discubot.tasks (run_id);
CREATE INDEX ix_tasks_team_id_created_at_id ON discubot.tasks (team_id, created_at, id);
CREATE INDEX ix_tasks_team_id_state_created_at_id ON discubot.tasks (team_id, state, created_at, id);

CREATE TABLE discubot.steps (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    run_id TEXT NOT NULL,
    step TEXT NOT NULL,
    stage discubot.stage,
    team_id UUID,
    discussion_id UUID,
    status discubot.step_status DEFAULT 'running' NOT NULL,
    input JSONB,
    output JSONB,
    reason TEXT,
    error TEXT,
    reasoning TEXT,
    attempts INTEGER DEFAULT '1' NOT NULL,
    prompt_tokens BIGINT DEFAULT '0' NOT NULL,
    answer_tokens BIGINT DEFAULT '0' NOT NULL,
    cost_usd NUMERIC(12, 6) DEFAULT '0' NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_by TEXT DEFAULT 'system' NOT NULL,
    updated_by TEXT DEFAULT 'system' NOT NULL,
    CONSTRAINT pk_steps PRIMARY KEY (id),
    CONSTRAINT uq_steps_run_id_step UNIQUE (run_id, step),
    CONSTRAINT fk_steps_team_id FOREIGN KEY(team_id) REFERENCES discubot.teams (id) ON DELETE CASCADE
);
CREATE INDEX ix_steps_discussion_id ON discubot.steps (discussion_id);

CREATE TABLE discubot.reasonings (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    run_id TEXT NOT NULL,
    step TEXT NOT NULL,
    team_id UUID,
    status discubot.reasoning_status DEFAULT 'pending' NOT NULL,
    attempts INTEGER DEFAULT '0' NOT NULL,
    worker TEXT,
    due_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    author TEXT,
    reason TEXT,
    error TEXT,
    prompt_tokens BIGINT DEFAULT '0' NOT NULL,
    answer_tokens BIGINT DEFAULT '0' NOT NULL,
    cost_usd NUMERIC(12, 6) DEFAULT '0' NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE,
    finished_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_by TEXT DEFAULT 'system' NOT NULL,
    updated_by TEXT DEFAULT 'system' NOT NULL,
    CONSTRAINT pk_reasonings PRIMARY KEY (id),
    CONSTRAINT uq_reasonings_run_id_step UNIQUE (run_id, step),
    CONSTRAINT fk_reasonings_run_id_step FOREIGN KEY(run_id, step) REFERENCES discubot.steps (run_id, step) ON DELETE CASCADE,
    CONSTRAINT fk_reasonings_team_id FOREIGN KEY(team_id) REFERENCES discubot.teams (id) ON DELETE CASCADE
);
CREATE INDEX ix_reasonings_due ON discubot.reasonings (due_at) WHERE status IN ('pending', 'processing');
CREATE INDEX ix_reasonings_team_id_status ON discubot.reasonings (team_id, status);

CREATE TABLE discubot.notes (
    run_id TEXT NOT NULL,
    root_run_id TEXT NOT NULL,
    project TEXT DEFAULT 'discubot' NOT NULL,
    job_name TEXT DEFAULT 'discussion_job' NOT NULL,
    scope discubot.scope DEFAULT 'team' NOT NULL,
    team_id UUID,
    discussion_id UUID,
    source_config_id UUID,
    trigger discubot.trigger DEFAULT 'webhook' NOT NULL,
    stage discubot.stage,
    outcome discubot.run_outcome,
    reason TEXT,
    error TEXT,
    not_before TIMESTAMP WITH TIME ZONE,
    params JSONB DEFAULT '{}' NOT NULL,
    progress JSONB DEFAULT '{}' NOT NULL,
    counters JSONB DEFAULT '{}' NOT NULL,
    summary TEXT,
    retried_by TEXT,
    cancelled_by TEXT,
    note_reason TEXT,
    pipeline_version TEXT NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_by TEXT DEFAULT 'system' NOT NULL,
    updated_by TEXT DEFAULT 'system' NOT NULL,
    CONSTRAINT pk_notes PRIMARY KEY (run_id),
    CONSTRAINT fk_notes_team_id FOREIGN KEY(team_id) REFERENCES discubot.teams (id) ON DELETE CASCADE
);
CREATE INDEX ix_notes_discussion_id_created_at ON discubot.notes (discussion_id, created_at);
CREATE INDEX ix_notes_root_run_id ON discubot.notes (root_run_id);
CREATE INDEX ix_notes_team_id_created_at ON discubot.notes (team_id, created_at);
CREATE INDEX ix_notes_team_id_stage_created_at ON discubot.notes (team_id, stage, created_at);

CREATE TABLE discubot.inbox_operations (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    team_id UUID NOT NULL,
    kind discubot.operation_kind NOT NULL,
    status discubot.delivery_status DEFAULT 'pending' NOT NULL,
    params JSONB DEFAULT '{}' NOT NULL,
    items INTEGER DEFAULT '0' NOT NULL,
    result JSONB DEFAULT '{}' NOT NULL,
    reason TEXT,
    error TEXT,
    generation INTEGER DEFAULT '0' NOT NULL,
    expiries INTEGER DEFAULT '0' NOT NULL,
    leased_until TIMESTAMP WITH TIME ZONE,
    run_key TEXT,
    run_id TEXT,
    finished_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_by TEXT DEFAULT 'system' NOT NULL,
    updated_by TEXT DEFAULT 'system' NOT NULL,
    CONSTRAINT pk_inbox_operations PRIMARY KEY (id),
    CONSTRAINT fk_inbox_operations_team_id FOREIGN KEY(team_id) REFERENCES discubot.teams (id) ON DELETE CASCADE
);
CREATE INDEX ix_inbox_operations_open ON discubot.inbox_operations (status, created_at) WHERE finished_at IS NULL;
CREATE INDEX ix_inbox_operations_team_id_created_at_id ON discubot.inbox_operations (team_id, created_at, id);

CREATE TABLE discubot.operation_chunks (
    operation_id UUID NOT NULL,
    number INTEGER NOT NULL,
    first_line INTEGER NOT NULL,
    body TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_by TEXT DEFAULT 'system' NOT NULL,
    updated_by TEXT DEFAULT 'system' NOT NULL,
    CONSTRAINT pk_operation_chunks PRIMARY KEY (operation_id, number),
    CONSTRAINT fk_operation_chunks_operation_id FOREIGN KEY(operation_id) REFERENCES discubot.inbox_operations (id) ON DELETE CASCADE
);

CREATE TABLE discubot.analyses (
    team_id UUID NOT NULL,
    key BYTEA NOT NULL,
    analyst TEXT NOT NULL,
    findings JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_by TEXT DEFAULT 'system' NOT NULL,
    updated_by TEXT DEFAULT 'system' NOT NULL,
    CONSTRAINT pk_analyses PRIMARY KEY (team_id, key),
    CONSTRAINT fk_analyses_team_id FOREIGN KEY(team_id) REFERENCES discubot.teams (id) ON DELETE CASCADE
);
CREATE INDEX ix_analyses_created_at ON discubot.analyses (created_at);

CREATE TABLE discubot.replies (
    key TEXT NOT NULL,
    team_id UUID NOT NULL,
    discussion_id UUID NOT NULL,
    run_id TEXT NOT NULL,
    posted_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_by TEXT DEFAULT 'system' NOT NULL,
    updated_by TEXT DEFAULT 'system' NOT NULL,
    CONSTRAINT pk_replies PRIMARY KEY (key),
    CONSTRAINT fk_replies_team_id FOREIGN KEY(team_id) REFERENCES discubot.teams (id) ON DELETE CASCADE,
    CONSTRAINT fk_replies_discussion_id FOREIGN KEY(discussion_id) REFERENCES discubot.discussions (id) ON DELETE CASCADE
);
CREATE INDEX ix_replies_discussion_id ON discubot.replies (discussion_id);

CREATE TABLE discubot.people (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    team_id UUID NOT NULL,
    source_config_id UUID NOT NULL,
    source_user_id TEXT NOT NULL,
    name TEXT NOT NULL,
    handle TEXT,
    email TEXT,
    time_zone TEXT,
    is_bot BOOLEAN DEFAULT false NOT NULL,
    notion_user_id TEXT,
    match discubot.person_match,
    confidence FLOAT,
    active BOOLEAN DEFAULT true NOT NULL,
    fetched_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_by TEXT DEFAULT 'system' NOT NULL,
    updated_by TEXT DEFAULT 'system' NOT NULL,
    CONSTRAINT pk_people PRIMARY KEY (id),
    CONSTRAINT uq_people_source_config_id_source_user_id UNIQUE (source_config_id, source_user_id),
    CONSTRAINT ck_people_match CHECK ((notion_user_id IS NULL) = (match IS NULL)),
    CONSTRAINT ck_people_confidence CHECK (confidence BETWEEN 0 AND 1),
    CONSTRAINT fk_people_team_id FOREIGN KEY(team_id) REFERENCES discubot.teams (id) ON DELETE CASCADE,
    CONSTRAINT fk_people_source_config_id FOREIGN KEY(source_config_id) REFERENCES discubot.source_configs (id) ON DELETE CASCADE
);
CREATE INDEX ix_people_team_id_name ON discubot.people (team_id, name);

CREATE TABLE discubot.schemas (
    output_id UUID NOT NULL,
    output_version INTEGER NOT NULL,
    target JSONB NOT NULL,
    fetched_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_by TEXT DEFAULT 'system' NOT NULL,
    updated_by TEXT DEFAULT 'system' NOT NULL,
    CONSTRAINT pk_schemas PRIMARY KEY (output_id),
    CONSTRAINT fk_schemas_output_id FOREIGN KEY(output_id) REFERENCES discubot.outputs (id) ON DELETE CASCADE
);

CREATE TABLE discubot.statistics (
    team_id UUID NOT NULL,
    day DATE NOT NULL,
    deliveries INTEGER NOT NULL,
    discussions INTEGER NOT NULL,
    tasks INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    p50_ms BIGINT,
    p95_ms BIGINT,
    p99_ms BIGINT,
    prompt_tokens BIGINT DEFAULT '0' NOT NULL,
    answer_tokens BIGINT DEFAULT '0' NOT NULL,
    cost_usd NUMERIC(12, 6) DEFAULT '0' NOT NULL,
    computed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_by TEXT DEFAULT 'system' NOT NULL,
    updated_by TEXT DEFAULT 'system' NOT NULL,
    CONSTRAINT pk_statistics PRIMARY KEY (team_id, day),
    CONSTRAINT fk_statistics_team_id FOREIGN KEY(team_id) REFERENCES discubot.teams (id) ON DELETE CASCADE
);

CREATE TABLE discubot.limits (
    bucket TEXT NOT NULL,
    free_at TIMESTAMP WITH TIME ZONE NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_by TEXT DEFAULT 'system' NOT NULL,
    updated_by TEXT DEFAULT 'system' NOT NULL,
    CONSTRAINT pk_limits PRIMARY KEY (bucket)
);

CREATE TABLE discubot.meters (
    meter TEXT NOT NULL,
    labels TEXT[] NOT NULL,
    total FLOAT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_by TEXT DEFAULT 'system' NOT NULL,
    updated_by TEXT DEFAULT 'system' NOT NULL,
    CONSTRAINT pk_meters PRIMARY KEY (meter, labels)
);

CREATE TABLE discubot.hooks (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    team_id UUID NOT NULL,
    source_config_id UUID,
    sender_id UUID,
    name TEXT NOT NULL,
    kind discubot.hook_kind NOT NULL,
    url TEXT,
    channel TEXT,
    events TEXT[] DEFAULT '{}' NOT NULL,
    has_text BOOLEAN DEFAULT false NOT NULL,
    active BOOLEAN DEFAULT true NOT NULL,
    reason TEXT,
    credentials BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_by TEXT DEFAULT 'system' NOT NULL,
    updated_by TEXT DEFAULT 'system' NOT NULL,
    CONSTRAINT pk_hooks PRIMARY KEY (id),
    CONSTRAINT uq_hooks_team_id_name UNIQUE (team_id, name),
    CONSTRAINT ck_hooks_url CHECK ((kind = 'webhook') = (url IS NOT NULL)),
    CONSTRAINT ck_hooks_channel CHECK ((kind = 'slack') = (channel IS NOT NULL AND sender_id IS NOT NULL)),
    CONSTRAINT fk_hooks_team_id FOREIGN KEY(team_id) REFERENCES discubot.teams (id) ON DELETE CASCADE,
    CONSTRAINT fk_hooks_source_config_id FOREIGN KEY(source_config_id) REFERENCES discubot.source_configs (id) ON DELETE CASCADE,
    CONSTRAINT fk_hooks_sender_id FOREIGN KEY(sender_id) REFERENCES discubot.source_configs (id) ON DELETE CASCADE
);
CREATE INDEX ix_hooks_sender_id ON discubot.hooks (sender_id);
CREATE INDEX ix_hooks_source_config_id ON discubot.hooks (source_config_id);

CREATE TABLE discubot.hook_deliveries (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    hook_id UUID NOT NULL,
    run_id TEXT NOT NULL,
    event discubot.hook_event NOT NULL,
    status discubot.hook_status DEFAULT 'pending' NOT NULL,
    tries INTEGER DEFAULT '0' NOT NULL,
    not_before TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    leased_until TIMESTAMP WITH TIME ZONE,
    reason TEXT,
    error TEXT,
    sent_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_by TEXT DEFAULT 'system' NOT NULL,
    updated_by TEXT DEFAULT 'system' NOT NULL,
    CONSTRAINT pk_hook_deliveries PRIMARY KEY (id),
    CONSTRAINT uq_hook_deliveries_hook_id_run_id UNIQUE (hook_id, run_id),
    CONSTRAINT fk_hook_deliveries_hook_id FOREIGN KEY(hook_id) REFERENCES discubot.hooks (id) ON DELETE CASCADE
);
CREATE INDEX ix_hook_deliveries_hook_id_created_at_id ON discubot.hook_deliveries (hook_id, created_at, id);
CREATE INDEX ix_hook_deliveries_pending ON discubot.hook_deliveries (not_before, id) WHERE status = 'pending';
CREATE INDEX ix_hook_deliveries_run_id ON discubot.hook_deliveries (run_id);
