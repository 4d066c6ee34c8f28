/**
 * What a person allows at several resources in one approval is one grant for each. `approved_with` is the id of the first on every grant of such an approval, the first
 * included; null on a grant that stands alone. Codes and refresh families hang from the first.
 */
export const severalResources = `
alter table grants add column approved_with text;
create unique index grants_approval on grants (tenant, approved_with, resource) where approved_with is not null;
`;
