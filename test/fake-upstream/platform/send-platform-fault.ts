import { isHttpFault } from '../http-faults.ts';
import { sendAnswer, sendFault, type Exchange } from '../routes/exchange.ts';
import type { PlatformRefusal } from './platform-checks.ts';
import { codeOfFault, platformAnswer } from './platform-faults.ts';

/** The fault of this key or model, else the configured one, counted down; undefined when there is none or it is used up. */
export function takeFault({ world, bearer, record }: Exchange): string | undefined {
  const { platformFault, platformFailTimes, platformKeyFaults, platformModelFaults } = world.settings();
  const model = (record.body as { readonly model?: unknown } | undefined)?.model;
  const special = platformKeyFaults[bearer ?? ''] ?? platformModelFaults[String(model)];
  if (special !== undefined) return special;
  if (platformFault === null || platformFailTimes === 0) return undefined;
  if (platformFailTimes !== null) world.configure({ platformFailTimes: platformFailTimes - 1 });
  return platformFault;
}

/** True when the fault was a whole answer of its own. */
export function sendPlatformFault(exchange: Exchange, fault: string): boolean {
  const code = codeOfFault(fault);
  if (code !== undefined) {
    exchange.record.scenario = `fault-${fault}`;
    sendAnswer(exchange, platformAnswer(code));
    return true;
  }
  if (!isHttpFault(fault)) return false;
  sendFault(exchange, fault);
  return true;
}

/** Answers with the error of a check. */
export function refuse(exchange: Exchange, { code, message }: PlatformRefusal): void {
  sendAnswer(exchange, platformAnswer(code, message));
}
