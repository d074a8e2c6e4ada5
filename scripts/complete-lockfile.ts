import { readFileSync, writeFileSync } from 'node:fs';

/**
 * `npm run lockfile`: adds the optional packages of other platforms to package-lock.json. npm leaves out those that the registry it was
 * written against does not carry, and `npm ci` then refuses the file, on every platform.
 */
interface LockedPackage {
  version?: string;
  optionalDependencies?: Record<string, string>;
  optional?: boolean;
  dev?: boolean;
  os?: string[];
  cpu?: string[];
}

const file = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, LockedPackage> };
const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const processors = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64'];

for (const [path, { optionalDependencies = {}, dev }] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const known = ancestors(path).some((ancestor) => `${ancestor}node_modules/${name}` in lock.packages);
    if (known || !/^\d/.test(version)) continue;
    const words = name.split(/[-/]/);
    const os = systems.filter((system) => words.includes(system));
    const cpu = processors.filter((processor) =>
      words.some((word) => word === processor || (processor === 'arm' && /^arm(v7)?$/.test(word))),
    );
    if (os.length === 0)
      throw new Error(`${name}@${version} is missing in the lockfile, and its name tells no platform`);
    lock.packages[`node_modules/${name}`] = {
      version,
      ...(dev ? { dev } : {}),
      optional: true,
      os,
      ...(cpu.length > 0 ? { cpu } : {}),
    };
    console.log(`added ${name}@${version} (${[...os, ...cpu].join(', ')})`);
  }
}
lock.packages = Object.fromEntries(
  Object.entries(lock.packages).sort(([first], [second]) => (first < second ? -1 : 1)),
);
writeFileSync(file, `${JSON.stringify(lock, undefined, 2)}\n`);

/** The places where a package of this path looks for its dependencies. */
function ancestors(path: string): string[] {
  const parts = path === '' ? [] : path.split('/node_modules/');
  return ['', ...parts.map((_, index) => `${parts.slice(0, index + 1).join('/node_modules/')}/`)];
}
