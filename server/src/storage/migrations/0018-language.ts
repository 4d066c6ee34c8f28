/**
 * The language that a person reads.
 */
export const language = `
alter table users add column language text;
`;
