/** What one tick leaves for the next, whichever replica runs that. Ticks do not overlap, so a state is read, changed and written back. */
export interface TickStateStore {
  /** The text last written under this name; undefined when there is none. */
  read(name: string): Promise<string | undefined>;
  write(name: string, text: string): Promise<void>;
}
