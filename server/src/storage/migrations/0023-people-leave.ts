/**
 * What a person has to be handed out or deleted with their account is found by who they are.
 */
export const peopleLeave = `
create index owner_tokens_user on owner_tokens (tenant, user_id);
create index identity_links_user on identity_links (tenant, user_id);
create index issuer_grants_user on issuer_grants (tenant, user_id);
create index holds_user on holds (tenant, user_id) where user_id is not null;
create index users_operators on users (tenant) where role = 'operator';
`;
