/**
 * A socket on which tests say exactly what they want, byte for byte, and read what comes back. Whoever waits, waits for what arrives or for the end, never for time.
 */
import { connect, type Socket } from 'node:net';

export type RawSocket = {
  socket: Socket;
  write(text: string): void;
  /** Everything that was received, once it matches. Rejects when the other side ends before. */
  until(wanted: RegExp): Promise<string>;
  /** Everything that was received, once the other side has ended. */
  ended(): Promise<string>;
};

export function rawSocket(port: number, first = ''): RawSocket {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: false });
  let received = '';
  let over = false;
  let waiting: (() => void)[] = [];
  const tell = () => {
    const told = waiting;
    waiting = [];
    for (const one of told) one();
  };
  socket.setEncoding('latin1').on('data', (text) => {
    received += String(text);
    tell();
  });
  // A reset is an end as well.
  socket.on('error', () => {});
  socket.on('close', () => {
    over = true;
    tell();
  });
  const changed = () =>
    new Promise<void>((resolve) => {
      waiting.push(resolve);
    });
  if (first !== '') socket.write(first);
  return {
    socket,
    write: (text) => void socket.write(text),
    async until(wanted) {
      while (!wanted.test(received)) {
        if (over) throw new Error(`ended after ${JSON.stringify(received)}`);
        await changed();
      }
      return received;
    },
    async ended() {
      while (!over) await changed();
      return received;
    },
  };
}

/** Sends this and reads all there is until the end. */
export function exchange(port: number, text: string): Promise<string> {
  return rawSocket(port, text).ended();
}

/** The status codes of all responses in a text, in their order. */
export const statusesOf = (text: string): number[] => [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
