/**
 * How often what a person signs in with has changed, or all their sessions were ended: a sign-in that began before is none any more. Nobody's has yet.
 */
export const sessionEpochs = `
alter table users add column session_epoch bigint;
`;
