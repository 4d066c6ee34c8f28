/**
 * What counts as a URL that may stand in client metadata: https, printable ASCII, no userinfo. Such a URL can be put in a link without a second thought.
 */

/** Whether the text is an https URL in printable ASCII, without userinfo. */
export function isPlainHttpsUrl(value: string): boolean {
  if (!/^https:\/\/[\x21-\x7E]+$/.test(value) || /["'<>\\^`{|}]/.test(value) || value.length > 2048 || !URL.canParse(value)) return false;
  const url = new URL(value);
  return url.username === '' && url.password === '';
}
