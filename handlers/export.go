package handlers

import (
	"context"
	"io"
	"time"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/fair"
	"expenseflow/models"
)

// exporter writes exports (portable.Exporter).
type exporter interface {
	JSON(ctx context.Context, userID string, secrets bool, w io.Writer) error
	CSV(ctx context.Context, userID string, w io.Writer) error
}

// Export handles the way out.
type Export struct {
	Exporter exporter

	running *fair.Pool // exports, by user
}

const (
	// maxExports is how many exports run at a time in a process; each user has one.
	maxExports = 32
	// maxExportTime bounds one, at minFlushRate at least.
	maxExportTime = 2 * time.Hour
)

// Register adds the route of exports.
func (h *Export) Register(g *echo.Group, mw ...echo.MiddlewareFunc) {
	h.running = fair.New(fair.Options{Capacity: maxExports, PerKey: 1})
	g.GET("/export", h.export, withCodes(mw)...)
}

// export handles GET /api/export?format=json|csv: everything that the account has, as a file.
//
//	200 the file                400 another format
//	429 one of this account is under way, or too many of others
func (h *Export) export(c echo.Context) error {
	format := c.QueryParam("format")
	if format == "" {
		format = "json"
	}
	media, known := exportMedia[format]
	if !known {
		return models.E(models.Invalid, "format is json or csv")
	}
	user := userID(c)
	if !h.running.Try(user, 1) {
		return errExportRunning
	}
	defer h.running.Release(user, 1)
	c.Response().Header().Set(echo.HeaderContentType, media)
	c.Response().Header().Set(echo.HeaderContentDisposition, `attachment; filename="`+exportName(format)+`"`)
	err := h.write(c, user, format)
	if err != nil && !c.Response().Committed {
		c.Response().Header().Del(echo.HeaderContentDisposition)
	}
	return err
}

var exportMedia = map[string]string{"json": mediaJSON, "csv": "text/csv; charset=utf-8; header=present"}

// errExportRunning refuses a second export of a user.
var errExportRunning = &models.Error{
	Kind: models.TooMany, Code: "EXPORT_RUNNING", Msg: "Another export is under way, please try again when it has ended",
	RetryAfter: 30 * time.Second, Setting: models.FixedLimit,
}

func exportName(format string) string {
	return "expenseflow-" + time.Now().UTC().Format(time.DateOnly) + "." + format
}

func (h *Export) write(c echo.Context, user, format string) error {
	s := newStream(c, "")
	s.ends = time.Now().Add(maxExportTime)
	ctx, err := c.Request().Context(), error(nil)
	if format == "csv" {
		err = h.Exporter.CSV(ctx, user, s)
	} else {
		err = h.Exporter.JSON(ctx, user, false, s)
	}
	if err != nil {
		return err
	}
	return s.finish("")
}
