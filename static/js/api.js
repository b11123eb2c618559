import { ArrivingList } from './arrivinglist.js';
import { importQuery } from './fileimport.js';
import { fileTimeout, HttpClient, Unreachable } from './httpclient.js';

/** How many changes are asked for at once: the most that the server gives. */
const changesPerPage = 500;

/** The routes of the server's API, for one session or, without a token, for signing in. */
export class Api extends HttpClient {
  /** Creates an account, with a currency if one is given: without an answer to that it has none, and the page offers it again. */
  async register(name, email, password, currency) {
    const answer = await this.request('POST', '/auth/register', { name, email, password });
    if (currency) {
      await new Api({ token: answer.token }).saveSettings({ currency }).catch(() => {});
    }
    return answer;
  }

  login(email, password) {
    return this.request('POST', '/auth/login', { email, password });
  }

  /** Whether anybody may register, and how long a password must be: {registration, minPassword}. */
  options() {
    return this.request('GET', '/auth/options');
  }

  /** The currencies that an account can have: {code, name}. */
  async currencies() {
    return listOf((await this.request('GET', '/currency/supported'))?.data?.currencies);
  }

  /** Another token for this session: {token, expiresAt}. */
  refresh() {
    return this.request('POST', '/auth/refresh');
  }

  /** The account's settings: {currency, timeZone, name}. */
  settings() {
    return this.request('GET', '/user/settings');
  }

  /** Changes some settings; returns all. */
  saveSettings(settings) {
    return this.request('PATCH', '/user/settings', settings);
  }

  /** Imports a file, or with dryRun says what would become of its rows: {import or mapping, totals, rows}. */
  importFile(file, chosen) {
    return this.request('POST', `/import?${importQuery(file, chosen)}`, file);
  }

  /** Imports an export of this program, or with dryRun says what would become of it: {counts, refusals, import}. */
  importAccount(file, { dryRun }) {
    return this.request('POST', `/import/account?${importQuery(file, { dryRun })}`, file);
  }

  /** Everything that the account has as `json`, or its entries as `csv`: {file, name}. */
  exportAs(format) {
    return this.download(`/export?format=${format}`);
  }

  /** Deletes what an import made and nobody has changed since; returns the import. */
  undoImport(id) {
    return this.request('DELETE', `/import/${id}`, undefined, { timeout: fileTimeout });
  }

  logout() {
    return this.request('POST', '/auth/logout');
  }

  /** Ends every token of the user; returns the one with which this device goes on. */
  logoutOthers() {
    return this.request('POST', '/auth/logout-others');
  }

  /** Ends every token of the user. */
  logoutEverywhere() {
    return this.request('POST', '/auth/logout-everywhere');
  }

  /** Ends every token of the user; returns another one. */
  changePassword(currentPassword, newPassword) {
    return this.request('POST', '/auth/security/change-password', { currentPassword, newPassword });
  }

  /**
   * What has changed since a position in the log of changes: {next, more, changes}, or
   * {next, snapshot, expenses} with every expense, as always without a position: arrived
   * is called with those that are there already, the newest first.
   */
  changes(position, arrived = () => {}) {
    const since = position ? `&since=${encodeURIComponent(position)}` : '';
    return this.request('GET', `/sync/changes?limit=${changesPerPage}${since}`, undefined, { reader: new ArrivingList(arrived) });
  }

  /** The results for operations, in their order. */
  async batch(operations) {
    const { results } = await this.request('POST', '/sync/batch', { operations });
    if (!Array.isArray(results)) {
      throw new Unreachable('an answer without results');
    }
    return results;
  }

  /** A page of the operations that the server has parked: {operations, total, next, last}. */
  parked({ limit, after = '' }) {
    return this.request('GET', `/sync/pending?limit=${limit}&after=${after}`);
  }

  /** Retries some of them, up to a place: {applied, failed, next}; after is next of the answer before. */
  retryAllParked(through, after = '') {
    return this.request('POST', `/sync/pending/retry?through=${through}&after=${after}`);
  }

  /** Discards some of them, up to a place: {discarded, left}. */
  discardAllParked(through) {
    return this.request('DELETE', `/sync/pending?through=${through}`);
  }

  /** Retries a parked operation, with other data if there is any. */
  retryParked(id, data) {
    return this.request('POST', `/sync/pending/${encodeURIComponent(id)}/retry`, data ? { data } : {});
  }

  discardParked(id) {
    return this.request('DELETE', `/sync/pending/${encodeURIComponent(id)}`);
  }

  /** Every budget with its present state. */
  async budgets() {
    return listOf(await this.request('GET', '/budgets'));
  }

  /** Creates a budget; repeating the request with the same key creates no second one. */
  createBudget(draft, key) {
    return this.request('POST', '/budgets', draft, { headers: { 'Idempotency-Key': key } });
  }

  updateBudget(id, fields) {
    return this.request('PUT', `/budgets/${encodeURIComponent(id)}`, fields);
  }

  deleteBudget(id) {
    return this.request('DELETE', `/budgets/${encodeURIComponent(id)}`);
  }

  /** A page of notifications, newest first: {notifications, pagination}. */
  async notifications(page, limit) {
    const answer = await this.request('GET', `/notifications?page=${page}&limit=${limit}`);
    return { ...answer, notifications: listOf(answer?.notifications) };
  }

  markRead(id) {
    return this.request('PATCH', `/notifications/${encodeURIComponent(id)}/read`);
  }

  markAllRead() {
    return this.request('PATCH', '/notifications/mark-all-read');
  }

  deleteNotification(id) {
    return this.request('DELETE', `/notifications/${encodeURIComponent(id)}`);
  }

  /** The members of an expense: {owner, role, sharedWith}. */
  shares(id) {
    return this.request('GET', `/expenses/${encodeURIComponent(id)}/share`);
  }

  share(id, email, role) {
    return this.request('POST', `/expenses/${encodeURIComponent(id)}/share`, { email, role });
  }

  withdraw(id, email) {
    return this.request('DELETE', `/expenses/${encodeURIComponent(id)}/invitations/${encodeURIComponent(email)}`);
  }

  /** Open invitations, newest first. */
  async invitations() {
    return listOf((await this.request('GET', '/invitations'))?.invitations);
  }

  /** Accepts an invitation; returns {id, expense}. */
  acceptInvitation(id) {
    return this.request('POST', `/invitations/${encodeURIComponent(id)}/accept`);
  }

  declineInvitation(id) {
    return this.request('POST', `/invitations/${encodeURIComponent(id)}/decline`);
  }

  /** Blocked people, by name. */
  async blocked() {
    return listOf((await this.request('GET', '/people/blocked'))?.blocked);
  }

  block(userId) {
    return this.request('POST', `/people/${encodeURIComponent(userId)}/block`);
  }

  unblock(userId) {
    return this.request('DELETE', `/people/${encodeURIComponent(userId)}/block`);
  }

  unshare(id, userId) {
    return this.request('DELETE', `/expenses/${encodeURIComponent(id)}/share/${encodeURIComponent(userId)}`);
  }

  /** The newest comments on an expense, newest first. */
  async comments(id, limit) {
    const answer = await this.request('GET', `/expenses/${encodeURIComponent(id)}/activity?limit=${limit}`);
    return listOf(answer?.activities).filter((a) => a.type === 'comment');
  }

  comment(id, text) {
    return this.request('POST', `/expenses/${encodeURIComponent(id)}/activity`, { text });
  }

  /** A page of the changes of an expense, newest first: {expense, entries, next, complete}. */
  history(id, { before, limit }) {
    return this.request('GET', `/expenses/${encodeURIComponent(id)}/history?limit=${limit}&before=${before ?? ''}`);
  }

  /** The devices on which this user is signed in: {deviceId, client, firstSeen, lastSeen, online}. */
  async devices() {
    return listOf((await this.request('GET', '/devices'))?.devices);
  }

  /** Every session whose token may still be valid: {id, current, client, devices, firstSeen, lastSeen}. */
  async sessions() {
    return listOf((await this.request('GET', '/sessions'))?.sessions);
  }

  endSession(id) {
    return this.request('DELETE', `/sessions/${encodeURIComponent(id)}`);
  }

  /** Deletes the account and everything in it. */
  deleteAccount(password) {
    return this.request('DELETE', '/user', { password });
  }

  signOutDevice(id) {
    return this.request('DELETE', `/devices/${encodeURIComponent(id)}`);
  }
}

function listOf(answer) {
  const list = Array.isArray(answer) ? answer : answer?.data;
  if (!Array.isArray(list)) {
    throw new Unreachable('an answer without a list');
  }
  return list;
}
