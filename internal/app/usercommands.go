package app

import (
	"bufio"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"

	"expenseflow/internal/config"
	"expenseflow/internal/observe"
	"expenseflow/internal/operator"
	"expenseflow/models"
)

const usersHelp = `expenseflow users shows and changes accounts, with the settings of the server.

  expenseflow users list [TEXT]            all accounts, or those whose address
                                           contains TEXT
  expenseflow users create EMAIL           make an account; --name NAME
  expenseflow users reset-password EMAIL   give it another password, and end all of
                                           its sessions
  expenseflow users sign-out EMAIL         end all of its sessions
  expenseflow users delete EMAIL           show what would go; with --yes delete the
                                           account and everything in it

EMAIL may be the id of the account, as the log has it (user_id).

  --json              one JSON document for each account, on a line of its own
  --password-stdin    create, reset-password: read the password from the first line
                      of standard input. Without it a password is made and printed,
                      once: nobody can show it again

Sessions that end do so at once: tokens are refused, sockets closed within a second.

With the embedded database a running server does what is asked for, which the command
tells it through the socket expenseflow.db.sock in DATA_DIR: run the command as the
server's user or as root. Without a server the command opens the file itself. With
PostgreSQL it always asks the database.

  docker compose exec app /expenseflow users list
  expenseflow users list --json | jq -r .email
  expenseflow users reset-password alice@example.org
`

const tokenHelp = `expenseflow token makes a token of an account, to try the API without signing in.

  expenseflow token EMAIL     print a token that lasts as long as one of a sign-in
  --expires 1h                let it end sooner or later (s, m, h, d, w, y)
  --json                      print {"token", "expiresAt", "userId"}

EMAIL may be the id of the account. The token is one like any other: it is in the list of
the account's sessions as soon as it is used, and ends with them. With
NODE_ENV=production no token is made.

  curl -H "Authorization: Bearer $(expenseflow token alice@example.org)" \
    http://localhost:3000/api/expenses
`

// A userCall is one call of users.
type userCall struct {
	Command
	cfg  *config.Config
	ask  *operator.Client
	user string // the account that is named; in list a part of its address, "" without

	name                      string
	json, passwordStdin, sure bool
}

// A userVerb is the second argument of users.
type userVerb struct {
	needsUser bool
	do        func(*userCall, context.Context) error
}

var userVerbs = map[string]userVerb{
	"list":           {false, (*userCall).list},
	"create":         {true, (*userCall).create},
	"reset-password": {true, (*userCall).resetPassword},
	"sign-out":       {true, (*userCall).signOut},
	"delete":         {true, (*userCall).delete},
}

// users lists or changes accounts.
func (c Command) users(ctx context.Context) int {
	call, flags := &userCall{Command: c}, newFlags()
	flags.BoolVar(&call.json, "json", false, "")
	flags.BoolVar(&call.passwordStdin, "password-stdin", false, "")
	flags.BoolVar(&call.sure, "yes", false, "")
	flags.StringVar(&call.name, "name", "", "")
	args, err := parseFlags(flags, c.Args[1:])
	if err != nil {
		return c.misused(err.Error() + ".")
	}
	v, rest, why := chooseUserVerb(args)
	if why != "" {
		return c.misused(why)
	}
	call.user = strings.Join(rest, "")
	return c.operate(ctx, func(cfg *config.Config, client *operator.Client) error {
		call.cfg, call.ask = cfg, client
		return v.do(call, ctx)
	})
}

// chooseUserVerb returns what follows users, with the arguments of it, at most one; why it
// cannot if there is none.
func chooseUserVerb(args []string) (v userVerb, rest []string, why string) {
	if len(args) == 0 {
		return v, nil, "list, create, reset-password, sign-out or delete?"
	}
	v, known := userVerbs[args[0]]
	switch rest = args[1:]; {
	case !known:
		why = fmt.Sprintf("%q is not one of list, create, reset-password, sign-out and delete.", args[0])
	case v.needsUser && (len(rest) == 0 || rest[0] == ""): // a variable of the shell that is not set
		why = "it needs the e-mail address or the id of an account."
	case len(rest) > 1:
		why = fmt.Sprintf("%q is one argument too many.", rest[1])
	}
	return v, rest, why
}

func (u *userCall) list(ctx context.Context) error {
	n, table := 0, tabwriter.NewWriter(u.Stdout, 0, 8, 2, ' ', 0)
	if !u.json {
		fmt.Fprintln(table, "EMAIL\tNAME\tEXPENSES\tMADE\tLAST CHANGE\tID")
	}
	err := u.ask.Users(ctx, u.user, func(user operator.User) error {
		n++
		if u.json {
			return u.printJSON(user)
		}
		last := "never"
		if user.LastChange != nil {
			last = user.LastChange.Format(time.DateTime)
		}
		_, err := fmt.Fprintf(table, "%s\t%s\t%d\t%s\t%s\t%s\n", printable(user.Email), printable(user.Name), user.Expenses,
			user.CreatedAt.Format(time.DateOnly), last, user.ID)
		return err
	})
	if err == nil && n == 0 && !u.json {
		_, err = fmt.Fprintln(u.Stdout, "no such account")
		return err
	}
	return errors.Join(err, table.Flush())
}

func (u *userCall) create(ctx context.Context) error {
	password, err := u.password()
	if err != nil {
		return err
	}
	name := cmp.Or(u.name, strings.SplitN(u.user, "@", 2)[0])
	user, err := u.ask.Create(ctx, u.user, name, password)
	if err != nil {
		return err
	}
	return u.showPassword(user, password, "made the account %s")
}

func (u *userCall) resetPassword(ctx context.Context) error {
	password, err := u.password()
	if err != nil {
		return err
	}
	user, err := u.ask.ResetPassword(ctx, u.user, password)
	if err != nil {
		return err
	}
	return u.showPassword(user, password, "%s has another password, and all of its sessions have ended")
}

func (u *userCall) signOut(ctx context.Context) error {
	user, err := u.ask.SignOut(ctx, u.user)
	if err != nil {
		return err
	}
	return u.show(user, "all sessions of %s have ended")
}

func (u *userCall) delete(ctx context.Context) error {
	if !u.sure {
		user, err := u.ask.User(ctx, u.user)
		if err != nil {
			return err
		}
		return fmt.Errorf("nothing was deleted. %s (%s) has %s and was made on %s: to delete the account and "+
			"everything in it, add --yes", printable(user.Email), printable(user.Name), models.Counted(user.Expenses, "expense"),
			user.CreatedAt.Format(time.DateOnly))
	}
	user, err := u.ask.Delete(ctx, u.user)
	if err != nil {
		return err
	}
	return u.show(user, "deleted the account %s and everything in it")
}

// show prints an account, or what was done to it.
func (u *userCall) show(user operator.User, did string) error {
	if u.json {
		return u.printJSON(user)
	}
	_, err := fmt.Fprintf(u.Stdout, did+"\n", printable(user.Email))
	return err
}

// showPassword is show with a password that was made here. It is printed nowhere else.
func (u *userCall) showPassword(user operator.User, password, did string) error {
	switch {
	case u.passwordStdin:
		return u.show(user, did)
	case u.json:
		return u.printJSON(struct {
			operator.User
			Password string `json:"password"`
		}{user, password})
	}
	_, err := fmt.Fprintf(u.Stdout, did+"\npassword: %s\n", printable(user.Email), password)
	return err
}

// password returns the one of standard input, or makes one.
func (u *userCall) password() (string, error) {
	if !u.passwordStdin {
		made := ""
		for made == "" || len(made) < u.cfg.PasswordMin {
			made += rand.Text()
		}
		return made, nil
	}
	line, err := bufio.NewReader(io.LimitReader(u.Stdin, maxPasswordLine)).ReadString('\n')
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return "", fmt.Errorf("the password cannot be read: %w", err)
	case len(line) == maxPasswordLine:
		return "", fmt.Errorf("the password has more than %d bytes: is it the right file?", maxPasswordLine-2)
	case !utf8.ValidString(line):
		return "", errors.New("the password is no text in UTF-8, so nobody could sign in with it: convert it")
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// maxPasswordLine bounds what is read of standard input.
const maxPasswordLine = 4 << 10

// token makes a token for development.
func (c Command) token(ctx context.Context) int {
	flags := newFlags()
	asJSON, expires := flags.Bool("json", false, ""), flags.String("expires", "", "")
	args, err := parseFlags(flags, c.Args[1:])
	if err != nil {
		return c.misused(err.Error() + ".")
	}
	if len(args) != 1 || args[0] == "" {
		return c.misused("it needs one account: its e-mail address or its id.")
	}
	var age time.Duration
	if *expires != "" {
		if age, err = config.ParseDuration(*expires); err != nil || age < time.Second {
			return c.misused(fmt.Sprintf("--expires %s is no time such as 1h or 7d.", *expires))
		}
	}
	return c.operate(ctx, func(_ *config.Config, client *operator.Client) error {
		token, err := client.Token(ctx, args[0], age)
		switch {
		case err != nil:
			return err
		case *asJSON:
			return c.printJSON(token)
		}
		_, err = fmt.Fprintln(c.Stdout, token.Token)
		return err
	})
}

// operate calls do with whoever has the database of the settings open.
func (c Command) operate(ctx context.Context, do func(*config.Config, *operator.Client) error) int {
	cfg, err := config.Load(c.Environ)
	if err != nil {
		return c.refuse(err)
	}
	log := observe.NewLogger(c.Stderr, "warn", cfg.JSONLogs())
	err = askOperator(ctx, &cfg, log, func(client *operator.Client) error { return do(&cfg, client) })
	if err != nil {
		fmt.Fprintf(c.Stderr, "expenseflow %s: %s\n", c.Args[0], sentence(err))
		return exitFailed
	}
	return exitOK
}

// sentence returns the message of an error that has one for users, which its cause would
// bury, else the error.
func sentence(err error) string {
	if models.KindOf(err) == models.Internal {
		return err.Error()
	}
	return models.Message(err)
}

func (c Command) printJSON(v any) error { return json.NewEncoder(c.Stdout).Encode(v) }

// misused says why the arguments are wrong.
func (c Command) misused(why string) int {
	fmt.Fprintf(c.Stderr, "expenseflow %[1]s: %[2]s expenseflow %[1]s --help explains it.\n", c.Args[0], why)
	return exitRefused
}

// printable replaces what a terminal would not show as text: names are what users say.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
}

// newFlags makes flags that print nothing by themselves.
func newFlags() *flag.FlagSet {
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	return flags
}

// parseFlags parses flags wherever they are among the arguments, and returns the others.
func parseFlags(flags *flag.FlagSet, args []string) (others []string, err error) {
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		if flags.NArg() == 0 {
			return others, nil
		}
		others, args = append(others, flags.Arg(0)), flags.Args()[1:]
	}
}
