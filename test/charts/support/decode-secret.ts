import type { KubernetesObject } from './kubernetes-objects.ts';

/** How the Kubernetes API says that a body is protobuf. */
export const protobufType = 'application/vnd.kubernetes.protobuf';

/** What stands before the envelope (`k8s` and a zero). */
const MAGIC_LENGTH = 4;

/**
 * The Secret in a protobuf body of the Kubernetes API, in which Helm sends what it keeps of its releases. The numbers are those of
 * `runtime.Unknown`, `core/v1.Secret` and `meta/v1.ObjectMeta`; other fields are left out.
 */
export function decodeSecret(body: Buffer): KubernetesObject {
  const secret = bytesOf(fieldsOf(body.subarray(MAGIC_LENGTH)), 2);
  const fields = fieldsOf(secret);
  const metadata = fieldsOf(bytesOf(fields, 1));
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: bytesOf(metadata, 1).toString(), labels: mapOf(metadata, 11, 'utf8') },
    data: mapOf(fields, 2, 'base64'),
  };
}

type Fields = readonly (readonly [number, Buffer])[];

/** The fields that hold bytes, in their order; numbers are passed over. */
function fieldsOf(message: Buffer): Fields {
  const fields: [number, Buffer][] = [];
  let offset = 0;
  const readNumber = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = message.readUInt8(offset++);
      value += (byte % 128) * factor;
      if (byte < 128) return value;
    }
  };
  while (offset < message.length) {
    const tag = readNumber();
    if (tag % 8 === 2) {
      const length = readNumber();
      fields.push([Math.floor(tag / 8), message.subarray(offset, offset + length)]);
      offset += length;
    } else if (tag % 8 === 0) readNumber();
    else throw new Error(`A Secret has no field of wire type ${tag % 8}.`);
  }
  return fields;
}

function bytesOf(fields: Fields, number: number): Buffer {
  return fields.find(([field]) => field === number)?.[1] ?? Buffer.alloc(0);
}

function mapOf(fields: Fields, number: number, encoding: 'utf8' | 'base64'): Record<string, string> {
  return Object.fromEntries(
    fields
      .filter(([field]) => field === number)
      .map(([, entry]) => fieldsOf(entry))
      .map((entry) => [bytesOf(entry, 1).toString(), bytesOf(entry, 2).toString(encoding)]),
  );
}
