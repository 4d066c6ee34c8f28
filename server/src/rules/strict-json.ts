/**
 * JSON where a repeated member name is seen: two parsers that keep different ones of two equal names would read two different requests (CIMD-07).
 */

/** Parses JSON text; `duplicates` lists member names that occur twice in one object, at any depth. Undefined when the text is not JSON. */
export function parseStrictJson(text: string): { value: unknown; duplicates: string[] } | undefined {
  try {
    return { value: JSON.parse(text) as unknown, duplicates: duplicateMembers(text) };
  } catch {
    return undefined;
  }
}

/** Walks text that JSON.parse has accepted, so the grammar needs no second check. */
function duplicateMembers(text: string): string[] {
  const duplicates: string[] = [];
  const open: (Set<string> | undefined)[] = [];
  const token = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g;
  for (const match of text.matchAll(token)) {
    const [found, colon] = match;
    if (found === '{') open.push(new Set());
    else if (found === '[') open.push(undefined);
    else if (found === '}' || found === ']') open.pop();
    else if (colon !== undefined) {
      const name = JSON.parse(found.slice(0, found.lastIndexOf('"') + 1)) as string;
      const names = open.at(-1);
      if (names?.has(name)) duplicates.push(name);
      names?.add(name);
    }
  }
  return duplicates;
}
