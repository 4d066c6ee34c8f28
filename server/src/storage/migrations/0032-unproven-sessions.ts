/**
 * Whether it is known when the person of a session showed who they are. Sessions from before, of people who sign in elsewhere, may be such of which it is not.
 */
export const unprovenSessions = `
alter table sessions add column unproven integer;
update sessions set unproven = 1
  where exists (select 1 from upstream_identities l where l.tenant = sessions.tenant and l.user_id = sessions.user_id);
`;
