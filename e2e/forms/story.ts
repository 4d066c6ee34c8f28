/** What a row of the table of forms says (../forms.ts). */
import type { Page } from 'playwright-core';
import type { User } from '../../server/src/storage/store.ts';
import type { Browser as Ahead } from '../../server/test/browser.ts';
import type { Provider } from '../../server/test/upstream-provider.ts';
import type { Stand } from '../stand.ts';

/** Somebody of their own in front of one form. */
export type Scene = {
  world: Stand;
  /** Where people may sign in elsewhere. */
  acme: Provider;
  user: User;
  /** The same browser before its window opens, without the pages: its cookies go with it. */
  ahead: Ahead;
  page: Page;
  /** Resolves to the address that the window was sent to. */
  sentTo(pattern: RegExp): Promise<string>;
};

export type FormStory = {
  name: string;
  /** The button that sends the form. */
  button: string;
  /** Nobody is signed in. */
  stranger?: true;
  /** With JavaScript there is nothing to press. */
  onlyWithoutScript?: true;
  /** What has happened before. */
  given?(scene: Scene): Promise<unknown>;
  /** Where the form is. */
  at: string | ((scene: Scene) => string | Promise<string>);
  /** From there to the form, where it has no address of its own. */
  onward?(scene: Scene): Promise<unknown>;
  /** Keys at a control, in the order of the page: a name of a key, or what is typed in place of what stands there. */
  hands?(scene: Scene): readonly Hand[] | Promise<readonly Hand[]>;
  effect(scene: Scene): Promise<unknown>;
};
export type Hand = readonly [control: string, keys: string];
