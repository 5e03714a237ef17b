import { describe, expect, it } from 'vitest';
import { encode } from '../core/cbor.ts';
import { decodeInviteLink, encodeInviteLink, type InviteLink } from './invite-link.ts';

const id = (digit: string) => digit.repeat(64);
const link: InviteLink = {
  network_id: id('1'),
  invite_id: id('2'),
  secret: new Uint8Array(32).fill(0x33),
  device_id: id('4'),
  addresses: ['127.0.0.1:4820', 'my.host.name:1'],
  user_id: null,
};

function refusal(text: string): { code: string; message: string } {
  try {
    decodeInviteLink(text);
  } catch (thrown) {
    return thrown as { code: string; message: string };
  }
  throw new Error('it was taken');
}
const written = (prefix: string, fields: Parameters<typeof encode>[0]) =>
  prefix + encode(fields).toBase64({ alphabet: 'base64url', omitPadding: true });

describe('the link of an invite', () => {
  it('of a person and of a device: told apart by their beginning, read as they were written', () => {
    const of_device = { ...link, user_id: id('5') };
    expect(encodeInviteLink(link)).toMatch(/^sotto:\/\/join\/[\w-]+$/);
    expect(encodeInviteLink(of_device)).toMatch(/^sotto:\/\/link\/[\w-]+$/);
    expect(decodeInviteLink(` ${encodeInviteLink(link)}\n`)).toEqual(link);
    expect(decodeInviteLink(encodeInviteLink(of_device))).toEqual(of_device);
  });

  it('is refused where it is not whole, or says it is of the other kind; the refusal does not quote it', () => {
    const [person, device] = [encodeInviteLink(link), encodeInviteLink({ ...link, user_id: id('5') })];
    const keys = [2, 3, 4, 5].map((byte) => new Uint8Array(32).fill(byte));
    const wrong = [
      'https://example.com/a-secret-that-nobody-else-may-see',
      person.slice(0, -9),
      person.replace('join', 'link'),
      device.replace('link', 'join'),
      `${person}${'A'.repeat(5_000)}`,
      written('sotto://join/', [2, ...keys, []]),
      written('sotto://join/', [1, ...keys.slice(1), new Uint8Array(31), []]),
      written('sotto://join/', [1, ...keys, [7]]),
      written('sotto://join/', [1, ...keys, Array(9).fill('a:1')]),
      written('sotto://link/', [1, ...keys, [], 'bob']),
    ];
    for (const text of wrong) {
      const { code, message } = refusal(text);
      expect(code).toBe('bad_link');
      expect(message).not.toContain(text.slice(20, 40));
    }
  });
});
