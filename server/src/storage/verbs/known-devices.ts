/**
 * Browsers and networks with which people signed in before, by keyed hash: a sign-in from elsewhere is told. Noted by `startSession`, in its commit.
 */

/** `first`: this person has never signed in, or longer ago than we remember. */
export type DeviceStanding = 'known' | 'new' | 'first';

export type KnownDeviceVerbs = {
  knowsDevice(device: { userId: string; deviceHash: string }, now: number): Promise<DeviceStanding>;
};
