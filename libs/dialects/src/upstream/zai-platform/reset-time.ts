const dateTime = /(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}(?::\d{2})?)/;

/** The time that the text of a used-up allowance names, in milliseconds since the epoch. It has no zone: UTC+8 is meant (protocol 10.4). */
export function findResetTimeMs(text: string): number | undefined {
  const [, date, time] = dateTime.exec(text) ?? [];
  if (date === undefined || time === undefined) return undefined;
  const parsed = Date.parse(`${date}T${time}+08:00`);
  return Number.isNaN(parsed) ? undefined : parsed;
}
