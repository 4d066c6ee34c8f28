/**
 * Whose word a registration is. What an operator registered was looked at by somebody who answers for this server; all the rest anybody could have said.
 */

/** Whether an operator registered the client; development mode stands for one. */
export function isByOperator({ registration }: { registration: string }): boolean {
  return registration === 'manual' || registration === 'demo';
}
