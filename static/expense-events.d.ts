/**
 * What a socket of ExpenseFlow says and hears, for socket.io-client:
 *
 *   import { io, type Socket } from 'socket.io-client';
 *   import type { ClientToServer, ServerToClient } from './expense-events';
 *
 *   const socket: Socket<ServerToClient, ClientToServer> = io({ auth: { token } });
 *
 * docs/events.md says what each event means. A test compiles what a real server
 * says against this file.
 */

/** 24 hex digits. */
export type Id = string;
/** UTC, such as 2026-01-19T12:00:00.000Z. */
export type Moment = string;
/** A UTC day, such as 2026-01-19. */
export type Day = string;
/** A device's place in its user's log. The client keeps it; a page need not. */
export type Offset = string;

export type Category =
  | 'food' | 'transport' | 'entertainment' | 'utilities' | 'healthcare' | 'shopping' | 'other'
  | 'bills' | 'education' | 'travel' | 'salary' | 'freelance' | 'investment';

/** What money is spent on, or all of it. */
export type BudgetCategory = Exclude<Category, 'salary' | 'freelance' | 'investment'> | 'all';

/** What a socket says of itself when it connects. */
export interface Auth {
  token: string;
  deviceId?: string;
  features?: 'batch'[];
  /** The page's trace (W3C Trace Context), which the server's log names. */
  traceparent?: string;
}

/** `err.data` of connect_error. A refusal is for good. */
export interface Refusal {
  code: 'NO_TOKEN' | 'TOKEN_INVALID' | 'TOKEN_EXPIRED' | 'USER_NOT_FOUND' | 'CONNECTION_LIMIT';
  /** Names this refusal in the server's log. */
  requestId: string;
}

export interface Expense {
  _id: Id;
  user: Id;
  description: string;
  /** Always above zero; `type` has the sign. */
  amount: number;
  category: Category;
  type: 'income' | 'expense';
  date: Moment;
  /** What totals and budgets count it by. */
  day: Day;
  currency?: string;
  merchant?: string;
  notes?: string;
  tags?: string[];
  createdAt: Moment;
  updatedAt: Moment;
  __v: 0;
  version: number;
  /** With how many others its owner shares it. */
  shared?: number;
  /** Its owner, of one that is shared with this user. */
  sharedBy?: Person;
  role?: Role;
}

/** As much of a user as others see. */
export interface Person {
  id: Id;
  name: string;
}

export type Role = 'editor' | 'viewer';

/** With whom an expense is shared. */
export interface Shares {
  expenseId: Id;
  sharedWith: (Person & { email: string; role: Role })[];
}

/** An expense that somebody offers to this user. */
export interface Invitation {
  id: Id;
  expenseId: Id;
  from: Person & { email: string };
  role: Role;
  createdAt: string;
}

/** Whether this user blocks somebody. */
export interface Block extends Person {
  blocked: boolean;
}

/** `expense:` and an id. */
export type Room = `expense:${Id}`;

/** A device in a room. */
export interface Guest {
  room: Room;
  user: Person;
  deviceId?: string; // of one's own devices alone
}

/** What somebody wrote must not be taken for markup. */
export interface Activity {
  room: Room;
  type: 'joined' | 'left' | 'updated' | 'comment' | 'typing';
  user: Person;
  data: { text?: string } & Record<string, unknown>;
  at: Moment;
}

export interface Presence {
  userId: Id;
  online: boolean;
  devices: { deviceId: string; connectedAt: Moment; lastSeen: Moment }[];
}

export interface Deleted {
  id: Id;
  _id: Id;
}

/** The device that caused a change, where it is known. */
export interface Authored {
  deviceId?: string;
}

export interface ExpenseBatch extends Authored {
  created: Expense[];
  updated: Expense[];
  deleted: Deleted[];
}

export interface Budget {
  _id: Id;
  user: Id;
  name: string;
  category: BudgetCategory;
  amount: number;
  period: 'monthly' | 'weekly' | 'yearly';
  startDate: Moment | null;
  endDate: Moment | null;
  alertThreshold: number;
  createdAt: Moment;
  updatedAt: Moment;
  __v: 0;
  version: number;
}

export interface BudgetAlert {
  budgetId: Id;
  budgetName: string;
  category: BudgetCategory;
  spent: number;
  amount: number;
  /** The account's. Absent from alerts of a server that knew of one currency. */
  currency?: string;
  percentage: number;
  isOverBudget: boolean;
}

export interface ExpenseNews extends Authored {
  /** Absent for many at once. */
  expenseId?: Id;
  action: 'created' | 'updated' | 'deleted' | 'batch';
  /** How many, of a batch. */
  count?: number;
}

interface AnyNotification<Type extends string, Data> {
  id: Id;
  title: string;
  message: string;
  type: Type;
  priority: 'low' | 'medium' | 'high' | 'critical';
  data: Data;
  timestamp: Moment;
  read: boolean;
}

/** What another user did, how often until it is read; without an expense it is about several. */
export interface Deed {
  userId: Id;
  userName: string;
  expenseId?: Id;
  count: number;
}

/** Told apart by `type`. */
export type Notification =
  | AnyNotification<'budget_alert', BudgetAlert>
  | AnyNotification<'low_balance', { balance: number; threshold: number; currency?: string }>
  | AnyNotification<'balance_changed', { balance: number; delta: number }>
  | AnyNotification<'expense_added', ExpenseNews>
  | AnyNotification<'goal_achieved', { goalId: Id; title: string; targetAmount: number; currentAmount: number }>
  | AnyNotification<'system', { test: boolean }>
  | AnyNotification<'invitation_received' | 'expense_shared' | 'expense_commented' | 'expense_edited', Deed>;

/** What there is in another currency than the account's. */
export interface CurrencyTotal {
  currency: string;
  income: number;
  expense: number;
  balance: number;
  count: number;
  /** The same in the account's currency; null without a rate. */
  converted: { income: number; expense: number; balance: number; currency: string; rate: number; asOf: Moment } | null;
}

/** What an account chose for itself. */
export interface Settings {
  currency: string;
  /** False until the account has chosen a currency. */
  currencyChosen: boolean;
  /** An IANA name; null until a client has named one. */
  timeZone: string | null;
  /** The user's; absent in what was stored before it was told. */
  name?: string;
}

export interface Balance {
  balance: number;
  income: number;
  expense: number;
  currency: string;
  byCurrency: CurrencyTotal[];
  delta: number;
  cause: { expenseId: Id; action: 'created' | 'updated' | 'deleted' } | null;
  updatedAt: Moment | null;
}

export interface Dashboard {
  from: Day;
  to: Day;
  version: number;
  currency: string;
  byCurrency: CurrencyTotal[];
  totals: { income: number; expense: number; balance: number; count: number };
  byCategory: { category: Category; total: number; count: number; percentage: number }[];
  series: { date: Day; income: number; expense: number }[];
  recent: Expense[];
  generatedAt: Moment;
}

export interface SystemStatus {
  status: 'ok' | 'degraded' | 'shutting_down';
  message: string;
  at: Moment;
}

export interface ParkedOperation {
  _id: Id;
  user: Id;
  action: 'CREATE' | 'UPDATE' | 'DELETE';
  resourceType: 'expense';
  resourceId: string;
  data: unknown;
  processed: false;
  deviceId: string;
  timestamp?: number;
  error?: string;
  current?: Expense;
  createdAt: Moment;
  updatedAt: Moment;
  __v: 0;
}

export interface SyncChanges {
  since: number | null;
  snapshot?: true;
  serverTime: Moment | null;
  next: Offset | null;
  more: boolean;
  changes: (Expense & { id: Id; lastSyncedAt: Moment })[];
  deleted: (Deleted & { deletedAt: Moment })[];
}

/** Why something was not done. */
export interface Failure {
  error: string;
  code: string;
  /** Names this failure in the server's log. */
  requestId: string;
  /** Of CONFLICT: what is stored. */
  current?: Expense;
  /** Milliseconds until it may be sent again; of RATE_LIMITED, behind those refused before it. */
  retryAfterMs?: number;
}

export type Answer<Result = {}> = ({ ok: true } & Result) | ({ ok: false } & Failure);

/** What one hears. Changes end in their offset, states and answers do not. */
export interface ServerToClient {
  expense_created(expense: Expense & Authored, offset?: Offset): void;
  'expense:created'(expense: Expense & Authored, offset?: Offset): void;
  expense_updated(expense: Expense & Authored, offset?: Offset): void;
  'expense:updated'(expense: Expense & Authored, offset?: Offset): void;
  expense_deleted(expense: Deleted & Authored, offset?: Offset): void;
  'expense:deleted'(expense: Deleted & Authored, offset?: Offset): void;
  'expense:shared'(shares: Shares & Authored, offset?: Offset): void;
  'invitation:received'(invitation: Invitation, offset?: Offset): void;
  'invitation:closed'(invitation: { id: Id } & Authored, offset?: Offset): void;
  'person:blocked'(person: Block & Authored, offset?: Offset): void;
  'person:unblocked'(person: Block & Authored, offset?: Offset): void;
  'account:settings'(settings: Settings & Authored, offset?: Offset): void;
  'expenses:batch'(batch: ExpenseBatch, offset?: Offset): void;
  'budget:created'(budget: Budget & Authored, offset?: Offset): void;
  'budget:updated'(budget: Budget & Authored, offset?: Offset): void;
  'budget:deleted'(budget: Deleted & Authored, offset?: Offset): void;
  'budget:alert'(alert: BudgetAlert, offset?: Offset): void;
  notification(notification: Notification, offset?: Offset): void;

  'account:balance'(balance: Balance): void;
  notification_count(unread: { count: number }): void;
  'dashboard:update'(dashboard: Dashboard): void;
  'system:status'(status: SystemStatus): void;
  'presence:update'(presence: Presence): void;
  'presence:joined'(guest: Guest): void;
  'presence:left'(guest: Guest): void;
  'room:activity'(activity: Activity): void;

  sync_data(parked: ParkedOperation[]): void;
  sync_changes(changes: SyncChanges): void;
  /** code: nothing more can be parked; operation is absent then. */
  sync_error(failure: { error: string; code?: 'PARKED_FULL'; operation?: ParkedOperation }): void;
  /** Parked operations were decided on: sync_request has those that are left. */
  sync_settled(settling: { how: 'retried' | 'discarded' }): void;
  import_progress(progress: { name: string; rows: number; total: number; done: boolean; parked?: number; undo?: boolean }): void;
  'error:event'(failure: Failure & { event: string }): void;
  /** The token expires soon: auth:refresh keeps the socket open. */
  'auth:expiring'(token: { expiresAt: Moment }): void;
  auth_expired(reason: { error: string; code: 'TOKEN_EXPIRED' }): void;
}

export interface ExpenseDraft extends Authored {
  description: string;
  amount: number;
  category: Category;
  type: 'income' | 'expense';
  date?: Moment | Day | number;
  /** The calendar day of `date`. */
  day?: Day;
  currency?: string;
  merchant?: string;
  notes?: string;
  tags?: string[];
  /** This device's own name for the creation, which makes its repetition harmless. */
  clientId?: string;
}

export interface ExpensePatch extends Partial<Omit<ExpenseDraft, 'clientId'>> {
  id: Id;
  version?: number;
}

export interface DashboardDays {
  from?: Day | Moment | number | null;
  to?: Day | Moment | number | null;
}

/** Who is in a room. */
export interface Members {
  room: Room;
  members: Omit<Guest, 'room'>[];
}

/** What one may say. Each takes a function for the answer, or none. */
export interface ClientToServer {
  /** Has the socket go on by another token of the same user; set socket.auth.token too. */
  'auth:refresh'(token: { token: string }, answer?: (a: Answer<{ expiresAt: Moment }>) => void): void;
  'expense:create'(expense: ExpenseDraft, answer?: (a: Answer<{ expense: Expense }>) => void): void;
  'expense:update'(expense: ExpensePatch, answer?: (a: Answer<{ expense: Expense }>) => void): void;
  'expense:delete'(expense: { id: Id } & Authored, answer?: (a: Answer<{ expense: Expense }>) => void): void;
  'dashboard:subscribe'(days?: DashboardDays | null, answer?: (a: Answer<{ dashboard: Dashboard }>) => void): void;
  'dashboard:unsubscribe'(nothing?: {} | null, answer?: (a: Answer) => void): void;
  'room:join'(room: { room: Room } | Room, answer?: (a: Answer<Members>) => void): void;
  'room:leave'(room: { room: Room } | Room, answer?: (a: Answer<{ room: Room }>) => void): void;
  'room:activity'(
    activity: { room: Room; type: 'comment'; data: string | { text: string } } | { room: Room; type: 'typing'; data?: object },
    answer?: (a: Answer) => void,
  ): void;
  'presence:list'(room?: { room?: Room } | Room | null, answer?: (a: Answer<Members | { presence: Presence }>) => void): void;
  sync_request(
    place?: { since?: Offset | number | Moment | null; lastSyncedAt?: Moment | null } | null,
    answer?: (a: Answer) => void,
  ): void;
}
