/**
 * How a person signed in (`amr`, a JSON list) travels from the session through the code, or the device's, to the refresh family; `sid` names the session to clients, and stays
 * when the same person signs in again in it (OIDC Back-Channel Logout §2.1).
 */
export const signInFacts = `
alter table sessions add column amr text;
alter table sessions add column sid text;
alter table codes add column amr text;
alter table codes add column sid text;
alter table refresh_tokens add column amr text;
alter table device_codes add column amr text;
`;
