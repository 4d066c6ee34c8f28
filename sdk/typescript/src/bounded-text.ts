/**
 * Reads what strangers send as text, and no further than a limit.
 */

/** Reads a body to its end; nothing when it is longer than `maxBytes`, and then the rest is not waited for. */
export async function readBounded(stream: ReadableStream<Uint8Array> | null, maxBytes: number): Promise<string | undefined> {
  if (!stream) return '';
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let size = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    size += part.value.byteLength;
    if (size > maxBytes) {
      // Not awaited: cancelling one branch of a tee waits for the other.
      reader.cancel().catch(() => undefined);
      return undefined;
    }
    text += decoder.decode(part.value, { stream: true });
  }
  return text + decoder.decode();
}
