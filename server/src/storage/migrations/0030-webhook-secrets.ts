/**
 * A second secret of a webhook while its receiver changes them: the older one signs beside the newer until its end. And how long a receiver asked to be left alone.
 */
export const webhookSecrets = `
alter table webhooks add column older_secret_sealed text;
alter table webhooks add column older_secret_expires_at bigint;
alter table webhooks add column rests_until bigint;
create index webhooks_older_secret on webhooks (older_secret_expires_at) where older_secret_expires_at is not null;
`;
