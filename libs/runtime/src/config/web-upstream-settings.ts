import type { Settings } from './parse-settings.ts';
import { setting } from './setting.ts';

/** The values of the chat.z.ai web contract that change without notice (protocol 0.2, 4.3, 4.4). */
export const webUpstreamSettings = {
  ZAI_API_BASE: setting.url({ default: 'https://chat.z.ai', description: 'Origin of the web backend.' }),
  ZAI_SIGNING_SECRET: setting.secret({
    // Public: it ships in the web bundle (protocol 0.2).
    default: 'key-@@@@)))()((9))-xxxx&&&%%%%%',
    defaultText: "the web client's public value",
    description: 'Secret of the request signature.',
  }),
  ZAI_FE_VERSION: setting.text({
    default: 'prod-fe-1.1.98',
    description: 'Frontend version that is sent when it cannot be read live from the web backend.',
  }),
  ZAI_USER_AGENT: setting.text({
    default:
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0 Safari/537.36',
    description: 'User agent towards the web backend, in the header and in the query.',
  }),
  ZAI_LANGUAGE: setting.text({
    default: 'en-US',
    description: 'Language towards the web backend; also chooses that of its error texts.',
  }),
  ZAI_TIMEZONE: setting.text({ default: 'Europe/Berlin', description: 'IANA time zone towards the web backend.' }),
  ZAI_REGION: setting.text({ default: 'overseas', description: 'Value of the `X-Region` header.' }),
  ZAI_DEVICE_ID: setting.optionalText({
    description: 'UUID of this installation in `X-Device-Id`; unset: a random one at each start.',
  }),
};

/** The parsed `webUpstreamSettings`. */
export type WebUpstreamSettings = Settings<typeof webUpstreamSettings>;
