package overlay

import (
	"slices"
	"strings"
)

// A Bug is a typical mistake of such servers, as a patch of the one place where this one
// would make it, and the tests that find it.
type Bug struct {
	Name  string
	Does  string // what is wrong then
	Edits []Edit // ON in their new text is the condition that the bug is chosen
	Found []Test // each of them fails with the bug and passes without

	// Chaos names classes of internal/e2e/chaos that find it (-prove), on several processes.
	Chaos []string
}

// OfClass returns the bug by which a class of internal/e2e/chaos shows that it can fail; "" if
// there is none.
func OfClass(class string) string {
	for _, b := range Bugs {
		if slices.Contains(b.Chaos, class) {
			return b.Name
		}
	}
	return ""
}

// A Test is one test function of one package.
type Test struct {
	Package string // its folder, from the root of the module
	Name    string
}

var (
	simulation = Test{"internal/e2e/simulation", "TestWhateverHappensDevicesEndUpEqual"}
	smallScope = Test{"internal/e2e/simulation", "TestTheSmallScopeHolds"}
)

// patch is the bug as a patch.
func (b *Bug) patch() Patch {
	p := Patch{Name: b.Name}
	for _, e := range b.Edits {
		e.New = strings.ReplaceAll(e.New, "ON", `seededbug.Enabled("`+b.Name+`")`)
		p.Edits = append(p.Edits, e)
	}
	return p
}

func bugPatches() (patches []Patch) {
	for _, b := range Bugs {
		patches = append(patches, b.patch())
	}
	return patches
}

// never makes the Edit by which a condition that ends in " {" or ":" does not hold.
func never(pkg, condition string) Edit {
	end := " {"
	if strings.HasSuffix(condition, ":") {
		end = ":"
	}
	return Edit{pkg, condition, strings.TrimSuffix(condition, end) + " && !ON" + end}
}

// Bugs are all of them. An edit of one line is easiest to keep; most mistakes have a place
// where they are one line.
var Bugs = []Bug{
	{
		Name: "global-cursor", Does: "the tail keeps one position for all logs",
		Edits: []Edit{after("internal/changes", "\t\tfrom, atOnce := group[0].Position(), t.pageSize(group)",
			`if ON { from = seededbug.Highest(from) }`)},
		Found: []Test{simulation},
		Chaos: []string{"pause"},
	},
	{
		Name: "emit-before-commit",
		Does: "events are sent for what a transaction intends, and remain when it is rolled back",
		Edits: []Edit{
			after("internal/store", "\ttx.changes = append(tx.changes, c)", `if ON { seededbug.Append(tx.user.ID, c) }`),
			after("internal/store",
				"func (s *Store) Changes(ctx context.Context, userID string, after int64, limit int) ([]models.Change, error) {",
				`if ON { return seededbug.After[models.Change](userID, after, limit), nil }`),
		},
		Found: []Test{simulation, smallScope},
	},
	{
		Name: "no-dedupe", Does: "an operation that arrives again is not recognised",
		Edits: []Edit{after("internal/reconcile", "func operationKey(userID string, op models.Operation) string {",
			`if ON { return "" }`)},
		Found: []Test{simulation, smallScope},
		Chaos: []string{"repeat", "reorder", "lost"},
	},
	{
		Name: "ack-before-commit", Does: "a batch is answered whether or not it was committed",
		Edits: []Edit{replace("internal/reconcile",
			"err != nil {\n\t\treturn nil, fmt.Errorf(\"apply batch:", "err != nil && !ON {\n\t\treturn nil, fmt.Errorf(\"apply batch:")},
		Found: []Test{simulation},
		Chaos: []string{"database", "cut-postgres"},
	},
	{
		Name: "no-gap-check", Does: "the tail skips a gap in the log",
		Edits: []Edit{never("internal/changes", "changes[i].Seq != want {")},
		Found: []Test{{"internal/changes", "TestAHoleIsLoggedAndNeverSteppedOver"}},
	},
	{
		Name: "dropped-tombstone", Does: "a deletion is not written into the log",
		Edits: []Edit{before("internal/ledger", "\tw.appendToLogs(models.ExpenseDeleted, e, by)\n", `if ON { return e, nil }`)},
		Found: []Test{simulation, smallScope},
	},
	{
		Name: "zero-value-update", Does: "a field that is cleared is treated as one that is absent",
		Edits: []Edit{before("internal/ledger", "\tp.Apply(&e, owner.Zone())\n",
			`if ON && p.Notes != nil && *p.Notes == "" { p.Notes = nil }`)},
		Found: []Test{simulation},
	},
	{
		Name: "tags-never-cleared", Does: "an empty list of tags is treated as an absent one",
		Edits: []Edit{before("internal/ledger", "\tp.Apply(&e, owner.Zone())\n",
			`if ON && p.Tags != nil && *p.Tags == "" { p.Tags = nil }`)},
		Found: []Test{simulation},
	},
	{
		Name: "client-clock", Does: "of two edits the one with the later time of its device wins",
		Edits: []Edit{before("internal/reconcile", "\treturn s.Update(id, o.seen, o.patch, by)", `
			if e, err := s.Tx.Expense(id); ON && err == nil && o.op.Timestamp != nil && *o.op.Timestamp < e.UpdatedAt.UnixMilli() {
				return e, nil
			}`)},
		Found: []Test{simulation, smallScope},
	},
	{
		Name: "no-recovery-auth", Does: "a recovered connection is not authenticated again",
		Edits: []Edit{after("sockets", "\t\tid, err := a.auth.Authenticate(ctx, sent.token)",
			`if ON { id, err = seededbug.Once(sent.token, id, err) }`)},
		Found: []Test{{"sockets", "TestRecoveryAuthenticatesAgain"}},
	},
	{
		Name: "unbounded-queue", Does: "events are queued for a socket however many wait",
		Edits: []Edit{replace("sockets", "if !s.socket.TrySend(v.packet) {",
			"if ON { _ = s.socket.Send(v.packet) } else if !s.socket.TrySend(v.packet) {")},
		Found: []Test{{"sockets", "TestASocketThatNobodyReadsHoldsABoundedPartOfItsLog"}},
	},
	{
		Name: "unauthorised-join", Does: "a socket is put into the first user's room and log",
		Edits: []Edit{after("sockets", "\t\ts := a.newSession(socket, sent, id)", `if ON { s.userID = seededbug.First(s.userID) }`)},
		Found: []Test{{"sockets", "TestParkedOperationIsAnnouncedToItsUserAlone"}},
	},
	{
		// There is no relay between processes but hints without data; this is what one
		// that carried data would do.
		Name: "relay-trusted", Does: "an event says what the process remembers of the request, not what the log says",
		Edits: []Edit{
			after("internal/ledger", "func (w *Work) appendToLogs(kind models.ChangeKind, e models.Expense, by models.Author) {",
				`if ON { seededbug.Remember(e.ID, e) }`),
			before("internal/changes", "\tpage := make([]Item[E], len(changes))", `
			for i := range changes {
				if ON { changes[i].Expense = seededbug.Recall(changes[i].EntityID, changes[i].Expense) }
			}`),
		},
		Found: []Test{simulation, smallScope},
	},

	// Hints between processes, and events of other programs.
	{
		Name: "gap-unnoticed", Does: "a hint that was lost on the way is not noticed",
		Edits: []Edit{replace("internal/hints", "\tr.count.gaps.Add(1)\n\tr.missed()\n",
			"\tr.count.gaps.Add(1)\n\tif !ON { r.missed() }\n")},
		Found: []Test{{"internal/hints", "TestAGapMeansMissed"}, {"internal/hints", "TestTheLossOfTheLastHintIsNoticed"}},
	},
	{
		Name: "silent-reconnect", Does: "what was published while there was no connection is not asked for",
		Edits: []Edit{replace("internal/hints", "\tr.out.say(wordHello, struct{}{})\n\tr.missed()\n",
			"\tr.out.say(wordHello, struct{}{})\n\tif !ON { r.missed() }\n")},
		Found: []Test{{"internal/hints", "TestAConnectMeansMissed"}},
	},
	{
		Name: "deaf-after-a-cut", Does: "a process whose connection for hints broke never listens again",
		Edits: []Edit{after("internal/hints", "\t\tif r.link.end() {\n\t\t\tpause = 0\n\t\t}", `if ON { return }`)},
		Found: []Test{{"internal/hints", "TestAConnectMeansMissed"}},
		Chaos: []string{"listener"},
	},
	{
		Name: "mute-after-an-error", Does: "a process that could not send a hint never sends another",
		Edits: []Edit{after("internal/hints", "\t\tif !r.send(ctx) {", `if ON { <-ctx.Done(); return }`)},
		Chaos: []string{"redis"},
	},
	{
		Name: "unsigned-hint", Does: "a hint is believed whoever signed it",
		Edits: []Edit{never("internal/hints", "case !authentic:")},
		Found: []Test{{"internal/hints", "TestWhatIsNotAuthenticIsDropped"}, {"internal/hints", "TestInstallationsDoNotHearEachOther"}},
	},
	{
		Name: "replayed-hint", Does: "a hint that was recorded is believed again",
		Edits: []Edit{never("internal/hints", "if !first && number <= last {")},
		Found: []Test{{"internal/hints", "TestAReplayIsDropped"}},
	},
	{
		Name: "unchallenged-sender",
		Does: "a process that was never heard before is believed at once, though it may have ended long ago",
		Edits: []Edit{replace("internal/hints", "\t\tr.count.drop(droppedUnknown, 1)\n\t\treturn\n\t}\n\tr.count.received",
			"\t\tr.count.drop(droppedUnknown, 1)\n\t\tif !ON { return }\n\t}\n\tr.count.received")},
		Found: []Test{{"internal/hints", "TestAReplayIsDropped"}},
	},
	{
		Name: "hints-without-bound", Does: "what waits for Redis has no bound",
		Edits: []Edit{replace("internal/hints", "case len(o.rest) >= maxWaiting || o.bytes+len(h.Data) > maxWaitingBytes:",
			"case !ON && (len(o.rest) >= maxWaiting || o.bytes+len(h.Data) > maxWaitingBytes):")},
		Found: []Test{{"internal/hints", "TestPublishDoesNotBlockWhileNothingCanBeSent"}},
	},
	{
		Name: "no-room-is-everybody", Does: "an event for a room that does not exist goes to everybody",
		Edits: []Edit{never("sockets", "if len(rooms) > 0 && len(known) == 0 {")},
		Found: []Test{{"sockets", "TestAnEmittedEventReachesTheRoomsThatItNames"}, {"sockets", "TestSocketsAreDisconnectedByRoom"}},
	},

	// Bugs that a reviewer added who had not seen the checks.
	{
		Name: "kept-claim",
		Does: "a POST whose answer was lost is found by its queue and not used up: a second purchase like it is taken for the first",
		Edits: []Edit{replace("internal/store", "\ttx.posts.Remove(found.ExpenseID)\n",
			"\tif !ON { tx.posts.Remove(found.ExpenseID) }\n")},
		Found: []Test{
			simulation, smallScope,
			{"internal/store", "TestAPostIsClaimedOnce"},
			{"internal/reconcile", "TestD17ALostAnswerMakesNoSecondExpense"},
		},
	},
	{
		Name: "half-undo",
		Does: "a savepoint's undo forgets the sequence: an operation that failed leaves a hole in the log, at which devices stop",
		Edits: []Edit{before("internal/store", "\t\ttx.user, tx.wrote, tx.deleted, tx.preferences = user",
			`if ON { user.Seq = tx.user.Seq }`)},
		Found: []Test{simulation, smallScope, {"internal/reconcile", "TestAPoisonousOperationEndsParked"}},
	},
	{
		Name: "kept-mark",
		Does: "notifications that an undone operation marked stay read for the rest of its transaction",
		Edits: []Edit{replace("internal/store/pipeline", "b.undo.add(func() { b.entries = before })",
			"if !ON { b.undo.add(func() { b.entries = before }) }")},
		Found: []Test{{"internal/store", "TestNotificationsStayedReadAfterTheMarkWasUndone"}},
	},
	{
		Name:  "lost-resume",
		Does:  "a subscriber that has room again before the tail has noted that it was full is never served again",
		Edits: []Edit{replace("internal/changes", "s.full = s.resumes == resumes ", "s.full = s.resumes == resumes || ON ")},
		Found: []Test{simulation, smallScope, {"internal/changes", "TestResumeInsideDeliverIsNotLost"}},
		Chaos: []string{"slow"},
	},

	// Bugs of the kinds that attacks and public reports found (docs/attack-entries.md).
	{
		Name: "no-fair-share", Does: "one address, or one user, takes all capacity of a process",
		Edits: []Edit{never("internal/fair", " && mine+n > share:")},
		Found: []Test{{"internal/engineio", "TestOneAddressDoesNotFillTheServer"}},
	},
	{
		Name: "fat-handshake", Does: "a query of any size is parsed and kept with its handshake",
		Edits: []Edit{replace("internal/engineio", "len(r.URL.RawQuery) > maxQueryBytes ||",
			"len(r.URL.RawQuery) > maxQueryBytes && !ON ||")},
		Found: []Test{{"internal/engineio", "TestOversizedHandshakesAreRefusedUnread"}},
	},
	{
		Name: "early-megabytes", Does: "unauthenticated connections may send messages of the full size",
		Edits: []Edit{replace("internal/engineio", "if s.established.Load() {\n\t\treturn s.srv.cfg.MaxPayload",
			"if s.established.Load() || ON {\n\t\treturn s.srv.cfg.MaxPayload")},
		Found: []Test{{"internal/engineio", "TestMessagesBeforeTheClientIsKnownAreSmall"}},
	},
	{
		Name: "unmetered-packets", Does: "packets other than events are not rate limited",
		Edits: []Edit{replace("internal/engineio", "if cfg.PacketRate <= 0 {", "if cfg.PacketRate <= 0 || ON {")},
		Found: []Test{{"internal/engineio", "TestFloodsOfAnyPacketEndTheSession"}},
	},
	{
		Name: "post-survives", Does: "a POST that is too large loses its packets and keeps its session",
		Edits: []Edit{replace("internal/engineio", "\t\ts.end(ReasonTransportError, ErrPostTooLarge)\n",
			"\t\tif !ON { s.end(ReasonTransportError, ErrPostTooLarge) }\n")},
		Found: []Test{{"internal/engineio", "TestTooLargePostEndsTheSession"}},
	},
	{
		Name: "long-polls", Does: "a polling response holds more packets than some clients read",
		Edits: []Edit{replace("internal/engineio", "packets > pollPackets &&", "packets > pollPackets && !ON &&")},
		Found: []Test{{"internal/engineio", "TestAnAnswerHoldsSixteenPacketsAtMost"}},
	},
	{
		Name: "no-sub-protocol", Does: "none of the sub-protocols that a client offers is chosen",
		Edits: []Edit{never("internal/engineio", "offered := websocket.Subprotocols(r); len(offered) > 0 {")},
		Found: []Test{{"internal/engineio", "TestTheFirstSubProtocolIsChosen"}},
	},
	{
		Name: "reserved-close-code", Does: "a reserved close code is accepted from a client",
		Edits: []Edit{replace("internal/engineio", "(code < 1004 || code > 1006)", "(code < 1004 || code > 1006 || ON)")},
		Found: []Test{{"internal/engineio", "TestFramesAtTheEdgesOfTheRules"}},
	},
	{
		Name: "half-packets-for-ever", Does: "a packet whose attachments never arrive is kept as long as its connection",
		Edits: []Edit{replace("internal/socketio", "\tlate := ", "\tlate := !ON && ")},
		Found: []Test{{"internal/socketio", "TestAttachmentsThatDoNotComeEndTheConnection"}},
	},
	{
		Name: "wide-ids", Does: "acknowledgement ids exceed the 32 bits that clients read",
		Edits: []Edit{replace("internal/socketio", "return s.ackID.Add(1) & maxAckID",
			"if id := s.ackID.Add(1); ON { return id } else { return id & maxAckID }")},
		Found: []Test{{"internal/socketio", "TestIdsOfTheServersEventsFitInThirtyTwoBits"}},
	},
	{
		Name: "raw-bytes", Does: "invalid UTF-8 of a client is forwarded to others",
		Edits: []Edit{never("internal/socketio", " || !utf8.Valid(text) {")},
		Found: []Test{{"internal/socketio", "TestInvalidBytesOfAnEventAreNeverSentOn"}},
	},
	{
		Name: "token-checked-once", Does: "a token revoked while its request waited for the lock still writes",
		Edits: []Edit{never("internal/store", "\tif err := tx.authorize(); err != nil {")},
		Found: []Test{{"internal/store", "TestAWriteThatWaitsForTheLockDoesNotOutliveItsToken"}},
	},
	{
		Name: "deep-pages", Does: "a page far down a long list is read without a bound on such reads",
		Edits: []Edit{never("internal/store/entries", "; end > shallow {")},
		Found: []Test{{"internal/store", "TestDeepPagesMadeEverybodyWait"}},
	},
	{
		Name: "read-only-kept", Does: "a connection to a database server that became read-only stays in the pool",
		Edits: []Edit{never("internal/store/epoch", "\t\tif e.Code == readOnly {")},
		Found: []Test{{"internal/store", "TestWritesGoOnAfterTheServerWasReadOnly"}},
	},
	{
		Name: "moments-of-any-epoch", Does: "a time from before a restored backup is accepted as a position in the new log",
		Edits: []Edit{replace("models", "!at.Before(l.EpochStart) &&", "(!at.Before(l.EpochStart) || ON) &&")},
		Found: []Test{{"internal/app", "TestAMomentOfAnotherEpochOrToComeGivesEverythingAnew"}},
	},
	{
		Name: "names-are-proof",
		Does: "device ids are not scoped to an account: one that another account uses blocks the queue of its owner",
		Edits: []Edit{before("internal/reconcile", "\tqueuedBeforeFirstOwn := h.FirstOwn.IsZero()",
			`if ON { return err == nil && at.Before(h.LastOther), err }`)},
		Found: []Test{{"internal/reconcile", "TestADevicesNameThatAnotherAccountUsesHoldsUpNothing"}},
	},
	{
		Name: "revived-import", Does: "the import of a file goes on after another process has undone it",
		Edits: []Edit{replace("internal/importer", "i.State == models.ImportUndone {", "i.State == models.ImportUndone && !ON {")},
		Found: []Test{{"internal/importer", "TestUndoOfAnImportThatAnotherProcessStillRuns"}},
	},
	{
		Name: "endless-parking", Does: "parked operations are stored without a bound",
		Edits: []Edit{replace("internal/ledger", "rows > models.MaxParked ||", "rows > models.MaxParked && !ON ||")},
		Found: []Test{{"internal/reconcile", "TestParkedOperationsGrowWithoutBound"}},
	},
	{
		Name: "deep-data", Does: "data of any depth is parsed",
		Edits: []Edit{never("internal/wire", "\tcase rawjson.DeeperThan(MaxDepth, data):")},
		Found: []Test{{"internal/reconcile", "TestNestedOrHugeDataIsRejectedAndTheBatchGoesOn"}},
	},
	{
		Name: "endless-invitations", Does: "a user can send any number of invitations to one address",
		Edits: []Edit{replace("internal/ledger", "case ofPair >= ", "case !ON && ofPair >= ")},
		Found: []Test{{"internal/ledger", "TestInvitationsAreBoundedForTheirSender"}},
	},
	{
		Name: "quick-strangers", Does: "the time of a sign-in tells whether an address has an account",
		Edits: []Edit{before("internal/ledger",
			"\tif err := a.verifyPassword(ctx, u.PasswordHash, password, errCredentials); err != nil {",
			`if ON && u.ID == "" { return models.User{}, errCredentials }`)},
		Found: []Test{{"internal/ledger", "TestStrangersCannotTellWhoHasAnAccount"}},
	},
	{
		Name: "guesses-before-the-wait", Does: "concurrent guesses at a password are not limited",
		Edits: []Edit{
			before("internal/auth", "\trelease, err := h.acquire(ctx, account)\n\tif err != nil {\n\t\treturn err\n",
				`
			if ON {
				if err := attempt.Admit(account); err != nil { return err }
			}`),
			never("internal/auth", "\tif err := attempt.Admit(account); err != nil {"),
		},
		Found: []Test{{"internal/auth", "TestGuessesAtOnceAreNoMoreThanOneAfterTheOther"}},
	},
	{
		Name: "any-page-signs-in", Does: "a page of another site may send sign-ins from the browser of its visitor",
		Edits: []Edit{never("middleware", "\t\t\tif err := policy.Check(r); err != nil {")},
		Found: []Test{{"middleware", "TestAnyWebPageKeptItsVisitorFromSigningIn"}},
	},
	{
		Name: "trickling-bodies", Does: "a request body may arrive at any rate, byte by byte",
		Edits: []Edit{before("middleware", "\treturn min(longest, ", `if ON { return longest }`)},
		Found: []Test{{"middleware", "TestBodyThatTricklesIsGivenUpToo"}},
	},
	{
		Name: "mark-in-front", Does: "a body with a byte order mark is refused, so a queue that sends one never drains",
		Edits: []Edit{before("handlers", "\treturn validText(bytes.TrimPrefix(b,", `if ON { return validText(b), nil }`)},
		Found: []Test{{"internal/app", "TestBodiesAreCleanedAsABrowserReadsThem"}},
	},
	{
		Name: "letters-become-ascii", Does: "an email address with a letter outside ASCII is taken for somebody else's",
		Edits: []Edit{never("models", "if r > unicode.MaxASCII && lower <= unicode.MaxASCII {")},
		Found: []Test{{"models", "TestAddressesThatDifferOutsideASCIIAreTwo"}},
	},
	{
		Name: "days-of-utc", Does: "an entry counts in the UTC day instead of the account's",
		Edits: []Edit{after("internal/store", "func (tx *Tx) Zone() *time.Location {", `if ON { return time.UTC }`)},
		Found: []Test{{"internal/app", "TestAnAccountsDaysAreThoseOfItsZone"}},
	},
	{
		Name: "password-in-errors", Does: "an error message contains a part of the database's password",
		Edits: []Edit{never("internal/config", "} else if hasUnescapedChar(dsn) {")},
		Found: []Test{{"internal/config", "TestAPasswordIsNeverPartOfAnError"}},
	},
	{
		Name: "published-data", Does: "the folder with the secret and the database may be published",
		Edits: []Edit{never("internal/config", "\t\t\tif isInside(kept.path, dir) {")},
		Found: []Test{{"internal/config", "TestWhatTheServerKeepsIsNeverPublished"}},
	},
	{
		Name: "first-coding", Does: "a response is compressed though its client prefers it uncompressed",
		Edits: []Edit{replace("internal/accept", "if weight > bestWeight || earlier {",
			`if weight > bestWeight || earlier || best == "" && weight > 0 && ON {`)},
		Found: []Test{{"internal/accept", "TestTheCodingOfTheHighestWeightIsChosen"}},
	},
	{
		Name: "device-ids-told", Does: "members of a shared expense learn each other's device ids",
		Edits: []Edit{replace("sockets", "\tothers.DeviceID = \"\"\n", "\tif !ON { others.DeviceID = \"\" }\n")},
		Found: []Test{{"sockets", "TestDevicesAreNamedToTheirOwnUserAlone"}},
	},
	{
		Name: "no-consent", Does: "whoever knows an address puts expenses into the list of its owner",
		Edits: []Edit{replace("internal/ledger", "case contact == models.ContactAccepted:",
			"case contact == models.ContactAccepted || ON:")},
		Found: []Test{{"internal/ledger", "TestAShareTellsNothingAndPutsNothingIntoAList"}},
	},
	{
		Name: "unbounded-bodies", Does: "request bodies take any amount of memory together",
		Edits: []Edit{before("middleware", "\tctx, cancel := context.WithTimeout(r.ctx, maxBodyWait)", `if ON { return nil }`)},
		Found: []Test{{"middleware", "TestLargeBodiesOfOneAddressTookAllMemory"}},
	},
	{
		Name: "one-strong-etag", Does: "two representations of a file have one strong ETag",
		Edits: []Edit{after("handlers", "func (h *Static) etag(name string, info fs.FileInfo, content io.ReadSeeker) string {",
			`if ON { return "\"1\"" }`)},
		Found: []Test{{"internal/app", "TestARangeIsNeverJoinedToAnotherRepresentation"}},
	},
	{
		Name: "empty-database", Does: "a database file that was cut to nothing is opened as a new one",
		Edits: []Edit{never("internal/store/sqlitefile", "info.Mode().IsRegular() && info.Size() == 0 {")},
		Found: []Test{{"internal/store", "TestAnEmptyDatabaseFileIsRefused"}},
	},
	{
		Name: "rows-left-behind", Does: "rows of a user who is removed stay in the database",
		Edits: []Edit{after("internal/store", "\tfor _, row := range withoutForeignKey {", `if ON { break }`)},
		Found: []Test{{"internal/store", "TestNoTableKeepsARowOfAUserWhoIsRemoved"}},
	},
	{
		Name: "unlisted-tokens", Does: "a token that never opens a socket is in no list of sessions",
		Edits: []Edit{replace("internal/app", "\t\tr.hub.RecordToken(", "\t\tif ON { return id, err }\n\t\tr.hub.RecordToken(")},
		Found: []Test{{"internal/app", "TestATokenThatNeverOpenedASocketIsListedAndSignedOut"}},
	},
	{
		Name: "endless-typing", Does: "each keystroke is sent to all members of a room",
		Edits: []Edit{never("sockets", "\t\tif now.Sub(p.typingSent) < typingPause {")},
		Found: []Test{{"sockets", "TestAUserTypesWithOneDeviceAtATime"}},
	},
	{
		Name: "recovered-at-head", Does: "a connection that is recovered begins at the end of the log",
		Edits: []Edit{before("sockets", "\treturn from, from.Seq >= u.LogStart && needed <= u.Seq\n",
			`if ON { from = StreamPosition{Seq: u.Seq} }`)},
		Found: []Test{{"sockets", "TestWhoComesBackHearsWhatItMissedOnceAndInOrder"}},
		Chaos: []string{"cut", "roll", "mixed"},
	},
	{
		Name: "moves-by-number", Does: "a change whose transaction commits after a younger one is heard of by no other process",
		Edits: []Edit{replace("internal/store/processes", `if parts[2] == "" {`, `if parts[2] == "" || ON {`)},
		Found: []Test{{"internal/changes", "TestWithoutAnyHintTheNextPollDeliversWhateverTheOrderOfCommits"}},
	},
	{
		Name: "moves-for-the-swiftest", Does: "moves are deleted that only some of the processes have read",
		Edits: []Edit{after("internal/store/processes", "func (p *Processes) pruneMoves(ctx context.Context, id string) error {", `
			if ON {
				_, err := p.db.Write(ctx, func(db *gorm.DB) *gorm.DB { return db.Where("true").Delete(&MovedRow{}) })
				return err
			}`)},
		Found: []Test{{"internal/store/processes", "TestMovesAreKeptForTheSlowestProcess"}},
	},
	{
		Name: "moves-of-any-server", Does: "a process goes on among the moves after the server crashed or was replaced",
		Edits: []Edit{replace("internal/store/processes", "next.Origin != from.Origin ||", "next.Origin != from.Origin && !ON ||")},
		Found: []Test{{"internal/store/processes", "TestWhatMayHaveLostMovesMakesAProcessCompareAll"}},
	},
	{
		Name: "heads-forgotten", Does: "logs that moved while their heads could not be read are not compared again",
		Edits: []Edit{before("internal/changes", "\terr = t.compare(ctx, c)\n", `if ON { t.cursor = next }`)},
		Found: []Test{{"internal/changes", "TestAComparisonThatFailedIsMadeAgain"}},
	},
	{
		Name: "everybody-polled", Does: "each second the logs of all users with sockets are compared",
		Edits: []Edit{replace("internal/changes", "comparison{all: all ||", "comparison{all: all || ON ||")},
		Found: []Test{{"internal/changes", "TestThePollDoesNotCostMoreWithMoreSubscribers"}},
	},
	{
		Name: "ghosts", Does: "devices of a process that is dead stay present",
		Edits: []Edit{replace("internal/store/processes", `present.generation AND " + isYoung`,
			`present.generation AND " + map[bool]string{true: "true", false: isYoung}[ON]`)},
		Found: []Test{{"internal/store/processes", "TestPresenceOfAProcessEndsWithIt"}},
	},
	{
		Name: "old-generation", Does: "a process that others took for dead goes on as if they had not",
		Edits: []Edit{replace("internal/store/processes", ".Where(isLiving).UpdateColumns(set)",
			`.Where(map[bool]string{true: "true", false: isLiving}[ON]).UpdateColumns(set)`)},
		Found: []Test{{"internal/store/processes", "TestAProcessLivesByItsHeartbeat"}},
	},
	{
		Name: "lost-hint-ghost", Does: "what a lost hint of another process would have told is never found out",
		Edits: []Edit{never("sockets", "\t\tif e.behind[p] > applied {")},
		Found: []Test{{"sockets", "TestAHintThatIsLostLeavesNoGhost"}, {"sockets", "TestEveryProcessEndsUpWithTheTruth"}},
	},
	{
		Name: "unnoticed-death", Does: "the end of a process changes nothing for those whose devices it had",
		Edits: []Edit{never("sockets", "\t\tif _, lives := living[p]; !lives {")},
		Found: []Test{{"sockets", "TestDevicesOfAKilledProcessVanishForEverybody"}},
		Chaos: []string{"kill"},
	},
	{
		Name: "hints-alone", Does: "who is present in other processes is read after a hint that arrives, and never else",
		Edits: []Edit{replace("sockets", "if !e.readAll || now", "if ON || !e.readAll || now")},
		Found: []Test{{"sockets", "TestAHintThatIsLostLeavesNoGhost"}},
		Chaos: []string{"cut-redis"},
	},
	{
		Name: "back-in-silence", Does: "a process that others took for dead does not tell them again who is present in it",
		Edits: []Edit{after("sockets", "\th.peers.settle()", `if ON { return }`)},
		Chaos: []string{"freeze"},
	},
	{
		Name: "untold-epoch", Does: "sockets stay open when the database has begun a new epoch",
		Edits: []Edit{never("internal/store/epoch", "before != epoch && e.changed != nil {")},
		Chaos: []string{"promote"},
	},
	{
		Name: "own-clock", Does: "a process says by its own clock when it was alive, and others compare that with the database's",
		Edits: []Edit{
			replace("internal/store/processes", `"heartbeat_at": gorm.Expr(dbNow), "url"`, `"heartbeat_at": gorm.Expr(seededbug.OwnClock(ON, dbNow)), "url"`),
			replace("internal/store/processes", "db.Exec(query, m.ID, m.ID,", "db.Exec(seededbug.OwnClock(ON, query), m.ID, m.ID,"),
		},
		Chaos: []string{"clock"},
	},
	{
		Name: "gone-while-moving", Does: "a device that moves to another process is reported as gone",
		Edits: []Edit{replace("sockets", "\tif p.peers == nil {\n\t\tp.remove(d, last)",
			"\tif p.peers == nil || ON {\n\t\tp.remove(d, last)")},
		Found: []Test{{"sockets", "TestADeviceThatMovesToAnotherProcessIsNeverGone"}},
	},
	{
		Name: "forgotten-crowd", Does: "after a crash of the database everybody in other processes is reported as gone",
		Edits: []Edit{
			never("sockets", "\tif time.Now().Before(settled) {"),
			replace("sockets", "\tcase !now.Member:", "\tcase !now.Member && !ON:"),
		},
		Found: []Test{{"sockets", "TestDevicesAreNotGoneWhenTheDatabaseForgotThem"}},
	},
	{
		Name: "limits-apart", Does: "what was used of a limit in another process does not count",
		Edits: []Edit{after("middleware", "func (s *sharedLimiter) of(key string, now time.Time) window {",
			`if ON { return window{} }`)},
		Found: []Test{{"middleware", "TestWhatWasUsedElsewhereCounts"}},
	},
	{
		Name: "default-ports", Does: "an allowed origin that names its default port never matches",
		Edits: []Edit{never("internal/origin", `u.Scheme == "https" && p == "443" {`)},
		Found: []Test{{"internal/origin", "TestOriginsAreReadAsBrowsersSendThem"}},
	},

	// Bugs of several processes without sticky sessions.
	{
		Name: "forwarded-twice", Does: "a poll whose answer was lost on its way is asked for again, and its packets are gone",
		Edits: []Edit{replace("internal/cluster", "\treturn out.WithContext(ctx)\n",
			"\tif ON { out.Body = nil }\n\treturn out.WithContext(ctx)\n")},
		Found: []Test{{"internal/cluster", "TestARequestIsNeverForwardedTwice"}},
	},
	{
		Name: "forwards-believed", Does: "whoever sends the header of forwards is whom they say",
		Edits: []Edit{replace("internal/cluster", "\treturn f, k.forward.Verify(", "\treturn f, ON || k.forward.Verify(")},
		Found: []Test{
			{"internal/cluster", "TestAForgedForwardIsAnOrdinaryRequest"},
			{"internal/cluster", "TestAForwardIsVerifiedForItsRequestAlone"},
		},
	},
	{
		Name: "forwards-replayed", Does: "a forward that was recorded is believed again",
		Edits: []Edit{never("internal/cluster", "\tif w.used[word]&bit != 0 {")},
		Found: []Test{
			{"internal/cluster", "TestAForgedForwardIsAnOrdinaryRequest"},
			{"internal/cluster", "TestEachNumberIsAcceptedOnce"},
		},
	},
	{
		Name: "forged-header-kept", Does: "a client's own header of forwards keeps its requests from their session",
		Edits: []Edit{replace("internal/cluster", "\t\t\tdelete(r.Header, forwardHeader)\n",
			"\t\t\tif !ON { delete(r.Header, forwardHeader) }\n")},
		Found: []Test{{"internal/cluster", "TestAForgedForwardIsAnOrdinaryRequest"}},
	},
	{
		Name: "forwards-in-circles", Does: "a forward that arrives at the wrong process is served by it",
		Edits: []Edit{never("internal/cluster", "\t\tcase said.to != c.id:"), never("internal/cluster", "!ok || said.to != c.id {")},
		Found: []Test{{"internal/cluster", "TestAForwardIsNeverForwardedAgain"}},
	},
	{
		Name: "silence-waited-for", Does: "a request waits for a frozen process until that counts as dead",
		Edits: []Edit{replace("internal/cluster", "time.AfterFunc(ownerTimeout, func() { cancel(errSilent) })",
			"time.AfterFunc(ownerTimeout, func() { if !ON { cancel(errSilent) } })")},
		Found: []Test{{"internal/cluster", "TestAnOwnerThatIsSilentIsA503"}},
	},
	{
		Name: "polls-of-the-dead", Does: "a poll waits for a process whose machine has gone",
		Edits: []Edit{replace("internal/cluster", "context.AfterFunc(owner.gone, func() { cancel(errGone) })",
			"context.AfterFunc(owner.gone, func() { if !ON { cancel(errGone) } })")},
		Found: []Test{{"internal/cluster", "TestAPollEndsWithItsOwner"}},
	},
	{
		Name: "outage-is-death", Does: "when the database is back, each process takes the others for dead",
		Edits: []Edit{never("internal/cluster", "\t\tcase unsettled:")},
		Found: []Test{{"internal/cluster", "TestNothingIsForgottenWhileTheDatabaseIsAway"}},
	},
	{
		Name: "any-secret", Does: "processes with different secrets serve one database",
		Edits: []Edit{never("internal/cluster", "\t\tif !c.keys.fits(living[i].Secret) {")},
		Found: []Test{{"internal/cluster", "TestAProcessWithAnotherSecretIsRefused"}},
	},
	{
		Name: "previous-signs", Does: "JWT_SECRET_PREVIOUS signs too, when it is set",
		Edits: []Edit{replace("internal/keyring", "return k[0]", "if ON { return k[len(k)-1] }\n\treturn k[0]")},
		Found: []Test{
			{"internal/auth", "TestThePreviousSecretVerifiesAndNeverSigns"},
			{"internal/cluster", "TestWhatFittingProcessesSignIsVerified"},
			{"sockets", "TestAPIDOutlivesTheChangeOfTheSecret"},
		},
	},
	{
		Name: "refreshed-for-another", Does: "a socket takes the token of another user, and stays the first one's",
		Edits: []Edit{never("sockets", "\t\tif id.User.ID != s.userID {")},
		Found: []Test{{"sockets", "TestARefusedTokenLeavesTheOneThatTheSocketHas"}},
	},
	{
		Name: "ended-by-the-first-token", Does: "a socket that has another token is closed when its first one expires",
		Edits: []Edit{after("sockets", "\ttoken.before = s.token.Load().id", `
			time.AfterFunc(time.Until(s.token.Load().credential.Until), func() {
				if ON { s.expire() }
			})`)},
		Found: []Test{{"sockets", "TestARefreshedSocketOutlivesItsFirstToken"}},
	},
	{
		Name: "unknown-newcomer", Does: "sessions of a process that has just started are unknown to the others for seconds",
		Edits: []Edit{replace("internal/cluster", "\tc.refresh(ctx)\n\treturn c.known(id)\n",
			"\tif !ON { c.refresh(ctx) }\n\treturn c.known(id)\n")},
		Found: []Test{{"internal/cluster", "TestANewcomerIsLookedUpWhenItIsNamed"}},
	},
	{
		Name: "unbounded-forwards", Does: "a client has any number of connections to other processes",
		Edits: []Edit{replace("internal/cluster", "\tcase !ok:\n\t\tf.c.stats.refused", "\tcase !ok && !ON:\n\t\tf.c.stats.refused")},
		Found: []Test{{"internal/cluster", "TestAClientHasABoundedShareOfForwards"}},
	},
	{
		Name: "drained-together", Does: "a shutdown closes all sockets at once, and the other processes admit all of them at once",
		Edits: []Edit{after("internal/app", "\t\tmoments[i] = rand.N(spread)", `if ON { moments[i] = 0 }`)},
		Found: []Test{{"internal/app", "TestADrainClosesEachSocketAtAMomentOfItsOwn"}},
	},
	{
		Name: "herds-read-their-logs", Does: "each socket that connects reads its user's log, though it knows to be at its end",
		Edits: []Edit{replace("internal/changes", "\tif from < head {", "\tif from < head || ON {")},
		Found: []Test{{"internal/changes", "TestSubscribersAtTheEndOfTheirLogsShareOneComparison"}},
	},
	{
		Name: "unread-beginnings", Does: "a change between the check of a token and the socket's subscription is not noticed",
		Edits: []Edit{replace("internal/changes", "\t\tt.uncompared[userID] = true\n\t\tt.pollSoon()",
			"\t\tif !ON { t.uncompared[userID] = true }\n\t\tt.pollSoon()")},
		Found: []Test{{"internal/changes", "TestAChangeJustBeforeASubscriptionIsNoticedSoon"}},
	},
	{
		Name: "failures-quote", Does: "the log quotes what a client wrote, in the text of its mistake",
		Edits: []Edit{replace("internal/failure", "	if !ByClient(err) {", "	if !ByClient(err) || ON {")},
		Found: []Test{
			{"internal/failure", "TestAFailureIsOneLineAndQuotesNoClient"},
			{"sockets", "TestAFailedEventIsLoggedOnceUnderTheIDThatItsSenderGets"},
		},
	},
	{
		Name: "refusals-flood", Does: "each of a flood of refusals is a line of the log",
		Edits: []Edit{never("internal/failure", "	if !of.lines.Allow() {")},
		Found: []Test{{"internal/failure", "TestAFloodOfRefusalsDoesNotFloodTheLog"}},
	},
	{
		Name: "two-ids", Does: "a failed event has another id in its answer than in the log",
		Edits: []Edit{replace("sockets", "why := rejected(err, id.RequestID)",
			"why := rejected(err, id.RequestID)\n\tif ON { why.RequestID = trace.NewID() }")},
		Found: []Test{{"sockets", "TestAFailedEventIsLoggedOnceUnderTheIDThatItsSenderGets"}},
	},
	{
		Name: "invented-labels", Does: "a client makes metrics and lines of the log by inventing events",
		Edits: []Edit{after("sockets", "func (d *dispatcher) known(name string) string {", `if ON { return name }`)},
		Found: []Test{{"sockets", "TestInventedEventsMakeNoLabelAndNoLine"}},
	},
	{
		Name: "rooms-unlimited", Does: "a socket joins any number of rooms",
		Edits: []Edit{never("sockets", "	if c.most > 0 && c.rooms.besides(s, id) >= c.most {")},
		Found: []Test{{"sockets", "TestASocketIsInOnlySoManyRooms"}},
	},
	{
		Name: "dashboards-unlimited", Does: "a user has any number of dashboards read with each change",
		Edits: []Edit{never("sockets", "	if sub == nil && ds.most > 0 && len(ds.byRange) >= ds.most {")},
		Found: []Test{{"sockets", "TestAUserWatchesOnlySoManyDashboards"}},
	},
	{
		Name: "quota-unchanged", Does: "RateLimit says the whole limit is left, whatever was used",
		Edits: []Edit{replace("middleware", "standing{left: l.n - w.count - elsewhere.count,",
			"standing{left: map[bool]int{false: l.n - w.count - elsewhere.count, true: l.n}[ON],")},
		Found: []Test{{"middleware", "TestAnswersTellWhatIsLeftOfALimit"}},
	},
	{
		Name: "unnamed-limits", Does: "nobody learns which limit ended a connection",
		Edits: []Edit{replace("internal/engineio", "if limit := limitOf(err); limit != LimitNone &&",
			"if limit := limitOf(err); limit != LimitNone && !ON &&")},
		Found: []Test{{"internal/engineio", "TestTheRefusedHookNamesTheLimit"}},
	},
	{
		Name: "certificates-once", Does: "the files of the certificate are read at the start alone",
		Edits: []Edit{replace("internal/certs", "if err == nil && c == was.content {", "if err == nil && c == was.content || ON {")},
		Found: []Test{{"internal/certs", "TestFilesThatChangeAreServed"}, {"internal/certs", "TestALinkThatIsSwappedIsFollowed"}},
	},
	{
		Name: "half-pairs-said-for-ever", Does: "a certificate that does not fit its key is logged at each reading",
		Edits: []Edit{replace("internal/certs", "if kind != t.last {", "if kind != t.last || ON {")},
		Found: []Test{{"internal/certs", "TestHalfAPairIsNotServed"}},
	},
	{
		Name: "ended-certificate", Does: "a certificate that has ended replaces one that is valid",
		Edits: []Edit{replace("internal/certs", "!valid(cert, now) && valid(was, now)",
			"!valid(cert, now) && !ON && valid(was, now)")},
		Found: []Test{{"internal/certs", "TestACertificateThatEndedReplacesNoneThatIsValid"}},
	},
	{
		Name: "streams-uncounted", Does: "the requests of an HTTP/2 connection are one connection for the limit",
		Edits: []Edit{replace("internal/app", "if l == nil || r.ProtoMajor < 2 {", "if l == nil || r.ProtoMajor < 2 || ON {")},
		Found: []Test{{"internal/app", "TestRequestsOfHTTP2CountAsConnections"}},
	},
	{
		Name: "answers-uncounted", Does: "the end of an answer by HTTP/2 waits for its client without a place",
		Edits: []Edit{replace("internal/app", "_ = conn.Flush()", "if !ON {\n\t\t\t_ = conn.Flush()\n\t\t}")},
		Found: []Test{{"internal/app", "TestRequestsOfHTTP2CountAsConnections"}},
	},
	{
		Name: "refused-body-ends-all", Does: "a body that is refused ends all requests of its HTTP/2 connection",
		Edits: []Edit{replace("internal/engineio", "if r.ProtoMajor < 2 { // of HTTP/2", "if r.ProtoMajor < 2 || ON { // of HTTP/2")},
		Found: []Test{{"internal/engineio", "TestABodyThatIsRefusedLeavesTheConnectionOfHTTP2"}},
	},
	{
		Name: "compressed-for-each", Does: "a broadcast is compressed for each socket",
		Edits: []Edit{before("internal/engineio", "\treturn g.encoded(&g.deflated, encodeDeflatedFrames)",
			"\tif ON { return encodeDeflatedFrames(g.msgs) }")},
		Found: []Test{{"internal/engineio", "TestAGroupIsCompressedOnce"}},
	},
	{
		Name: "bombs-count-little", Does: "a message counts as many bytes as it has compressed",
		Edits: []Edit{replace("internal/engineio", "c.unmetered += max(0, len(data)-len(packed))",
			"if !ON { c.unmetered += max(0, len(data)-len(packed)) }")},
		Found: []Test{{"internal/engineio", "TestCompressedMessagesAreCountedAsTheyAreRead"}},
	},
	{
		Name: "open-control-socket", Does: "every user of the machine can command the server",
		Edits: []Edit{after("internal/control", "	ln.SetUnlinkOnClose(false)", `if ON { return &listener{ln, path}, os.Rename(fresh, path) }`)},
		Found: []Test{{"internal/control", "TestASocketIsTheOwnersAndStreams"}},
	},
	{
		Name: "sign-out-in-name", Does: "tokens of an account that an operator signed out go on",
		Edits: []Edit{replace("internal/store", "\tcolumns[\"token_generation\"] = gorm.Expr(\"token_generation + 1\")",
			"\tcolumns[\"token_generation\"] = gorm.Expr(\"token_generation + 1\")\n"+
				"\tif ON { columns[\"token_generation\"] = gorm.Expr(\"token_generation\") }")},
		Found: []Test{{"internal/store", "TestEveryTokenEndsWithAPasswordAndASignOut"}},
	},
	{
		Name: "any-certificate-name", Does: "the doctor is content with a certificate that browsers refuse",
		Edits: []Edit{never("internal/doctor", "\tcase own.VerifyHostname(host) != nil:")},
		Found: []Test{{"internal/doctor", "TestCertificatesThatBrowsersWouldRefuse"}},
	},

	// Metrics.
	{
		Name: "invented-series", Does: "an event of a name that a client made up is counted by that name",
		Edits: []Edit{before("internal/socketio", "\tif count := c.byName[event]; count != nil {\n", `
			if ON && c.byName[event] == nil {
				c.byName[event] = &eventCount{owner: c, name: event}
				c.list = append(c.list, c.byName[event])
			}`)},
		Found: []Test{{"internal/socketio", "TestEventsAreCountedByNamesOfTheApplication"}},
	},
	{
		Name: "away-counts-as-slow", Does: "what a device missed while it was away counts as delivered late",
		Edits: []Edit{never("sockets", "case c.At.UnixMilli() < live:")},
		Found: []Test{{"sockets", "TestOnlyLiveChangesCountAsDelivered"}},
	},
	{
		Name: "admins-write", Does: "the Admin UI hides commands from admins who may only look, and the server obeys them",
		Edits: []Edit{replace("internal/adminui", "\tif !u.opts.Write {\n\t\treturn o,", "\tif !u.opts.Write && !ON {\n\t\treturn o,")},
		Found: []Test{{"internal/adminui", "TestAReadOnlyAdminChangesNothing"}},
	},
	{
		Name: "admins-anywhere", Does: "a session id of an admin is worth as much at another address",
		Edits: []Edit{replace("internal/adminui", "\t\tmac.Write([]byte(address))", "\t\tif !ON { mac.Write([]byte(address)) }")},
		Found: []Test{{"internal/adminui", "TestASessionIDIsOfOneAddress"}},
	},
	{
		Name: "admins-guess", Does: "wrong passwords of the Admin UI are not counted",
		Edits: []Edit{replace("internal/adminui", "\tu.opts.Guesses.Take(address)", "\tif !ON { u.opts.Guesses.Take(address) }")},
		Found: []Test{{"internal/adminui", "TestGuessesAreLimitedByAddress"}},
	},
	{
		Name: "admins-are-watching", Does: "sockets are watched on after the last admin has gone",
		Edits: []Edit{replace("internal/adminui", "\tu.opts.IO.Observe(nil)", "\tif !ON { u.opts.IO.Observe(nil) }")},
		Found: []Test{{"internal/adminui", "TestNobodyIsWatchedWithoutAnAdmin"}},
	},
	{
		Name: "admins-flood", Does: "an admin costs as much as happens",
		Edits: []Edit{never("internal/adminui", "\tif b.used >= b.most {")},
		Found: []Test{{"internal/adminui", "TestASecondHasABudget"}},
	},
	{
		Name: "admins-read", Does: "admins see amounts and descriptions",
		Edits: []Edit{replace("internal/app", "shown && len(value) <= r.maxText:", "(shown || ON) && len(value) <= r.maxText:")},
		Found: []Test{{"internal/app", "TestEventsAreShownRedacted"}},
	},
	{
		Name: "admins-everywhere", Does: "the page of the Admin UI may join the namespace of users",
		Edits: []Edit{replace("internal/app", "	if s.Handshake().Label != adminPage {",
			"	if s.Handshake().Label != adminPage || ON {")},
		Found: []Test{{"internal/app", "TestThePageOfTheAdminUIReachesNothingElse"}},
	},
}
