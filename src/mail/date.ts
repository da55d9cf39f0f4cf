/** Dates as mail and logs write them, in local time. */

import { timestamp, zone } from '../observe/main-log.ts';

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `Fri, 16 Nov 2007 15:47:10 +0000` (RFC 5322 §3.3). */
export function rfc5322Date(milliseconds: number): string {
  const at = new Date(milliseconds);
  const time = timestamp(milliseconds).slice(11);
  return `${days[at.getDay()]}, ${String(at.getDate()).padStart(2, '0')} ${months[at.getMonth()]} ${at.getFullYear()} ${time} ${zone(milliseconds)}`;
}

/** `Thu Oct 17 17:14:09 1995`, the form of an mbox separator line. */
export function mailboxDate(milliseconds: number): string {
  const at = new Date(milliseconds);
  const time = timestamp(milliseconds).slice(11);
  return `${days[at.getDay()]} ${months[at.getMonth()]} ${String(at.getDate()).padStart(2, '0')} ${time} ${at.getFullYear()}`;
}

/** ` 3-Nov-2036 16:47:43 +0100`: as c-client writes them. */
export function mbxDate(milliseconds: number): string {
  const at = new Date(milliseconds);
  const day = String(at.getDate()).padStart(2, ' ');
  return `${day}-${months[at.getMonth()]}-${at.getFullYear()} ${timestamp(milliseconds).slice(11)} ${zone(milliseconds)}`;
}

/** `Nov  3 16:47:43 2036 +0100`: as certificates are shown; `GMT` where the time zone is that. */
export function certificateDate(milliseconds: number): string {
  const at = new Date(milliseconds);
  const offset = zone(milliseconds);
  const day = String(at.getDate()).padStart(2, ' ');
  const shown = offset === '+0000' ? 'GMT' : offset;
  return `${months[at.getMonth()]} ${day} ${timestamp(milliseconds).slice(11)} ${at.getFullYear()} ${shown}`;
}

/** `20030221154023Z`, in UTC. */
export function zuluDate(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19).replace(/[-T:]/g, '')}Z`;
}
