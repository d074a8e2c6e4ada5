/** Places for clients that read along with a response in this process. */
export interface FollowerPlaces {
  /** Takes a place at the response; undefined when there is none. To be given back by calling what is returned. */
  take(id: string): (() => void) | undefined;
}

/** As many places as `most` at each response: one client that keeps coming back must not fill the process with its streams. */
export function createFollowerPlaces(most: number): FollowerPlaces {
  const taken = new Map<string, number>();
  return {
    take(id) {
      const followers = taken.get(id) ?? 0;
      if (followers >= most) return undefined;
      taken.set(id, followers + 1);
      return () => {
        const left = (taken.get(id) ?? 1) - 1;
        if (left === 0) taken.delete(id);
        else taken.set(id, left);
      };
    },
  };
}
