package handlers

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

// analytics is what computes figures from a user's own entries. Nil, without an
// error, is for who has none.
type analytics interface {
	Trends(ctx context.Context, userID, period string, months int) (*models.Analysis[models.Trends], error)
	Breakdown(ctx context.Context, userID, kind string, from, to models.DayRef) (*models.Analysis[models.Breakdown], error)
	Comparison(ctx context.Context, userID string, months int) (*models.Analysis[[]models.MonthComparison], error)
	Insights(ctx context.Context, userID string) (*models.Analysis[models.Insights], error)
	Prediction(ctx context.Context, userID string) (*models.Analysis[models.Prediction], error)
	Velocity(ctx context.Context, userID string) (*models.Analysis[models.Velocity], error)
	Overview(ctx context.Context, userID string) (*models.Analysis[models.Overview], error)
}

// Analytics answers /api/analytics. docs/analytics.md says how each figure is
// computed.
type Analytics struct {
	Reader analytics
	Rates  *models.Rates // nil: nothing is converted
}

// Register puts the routes below /api; guard lets only known callers in.
func (h *Analytics) Register(api *echo.Group, guard ...echo.MiddlewareFunc) {
	guard = chain([]echo.MiddlewareFunc{coded}, guard)
	get(api, "/analytics/spending-trends", h.trends, guard...)
	get(api, "/analytics/category-breakdown", h.breakdown, guard...)
	get(api, "/analytics/comparison", h.comparison, guard...)
	get(api, "/analytics/insights", h.insights, guard...)
	get(api, "/analytics/predictions", h.predictions, guard...)
	get(api, "/analytics/velocity", h.velocity, guard...)
	get(api, "/analytics/summary", h.summary, guard...)
}

// analysed answers with the document of what was found, or that there is nothing yet.
func analysed[T any](c echo.Context, rates *models.Rates, a *models.Analysis[T], err error, document func(found T, currency string) any) error {
	switch {
	case err != nil:
		return err
	case a == nil:
		return respond(c, http.StatusOK, wire.NewNothingAnalysed())
	}
	return respond(c, http.StatusOK, wire.NewAnalysed(a, document(a.Found, a.Currency), rates))
}

// trends handles GET /api/analytics/spending-trends?period=&months=.
//
//	200 {success, data: {period, data, summary}}    400 no such period, or months
func (h *Analytics) trends(c echo.Context) error {
	period, months, err := wire.ParseTrends(c.QueryParam("period"), c.QueryParam("months"))
	if err != nil {
		return err
	}
	found, err := h.Reader.Trends(c.Request().Context(), caller(c.Request().Context()).User.ID, period, months)
	return analysed(c, h.Rates, found, err, func(t models.Trends, _ string) any { return wire.NewTrends(t) })
}

// breakdown handles GET /api/analytics/category-breakdown?type=&startDate=&endDate=,
// whose days both count.
//
//	200 {success, data: {type, grandTotal, categories, topCategory}}    400 no such type, no dates, or reversed
func (h *Analytics) breakdown(c echo.Context) error {
	kind, from, to, err := wire.ParseBreakdown(c.QueryParam("type"), c.QueryParam("startDate"), c.QueryParam("endDate"))
	if err != nil {
		return err
	}
	found, err := h.Reader.Breakdown(c.Request().Context(), caller(c.Request().Context()).User.ID, kind, from, to)
	return analysed(c, h.Rates, found, err, func(b models.Breakdown, _ string) any { return wire.NewBreakdown(b) })
}

// comparison handles GET /api/analytics/comparison?months=.
//
//	200 {success, data: {comparisons}}    400 months out of range
func (h *Analytics) comparison(c echo.Context) error {
	months, err := wire.ParseComparison(c.QueryParam("months"))
	if err != nil {
		return err
	}
	found, err := h.Reader.Comparison(c.Request().Context(), caller(c.Request().Context()).User.ID, months)
	return analysed(c, h.Rates, found, err, func(m []models.MonthComparison, _ string) any { return wire.NewComparison(m) })
}

// insights handles GET /api/analytics/insights.
//
//	200 {success, data: {insights, generatedAt, periodAnalyzed}}    401 no good token
func (h *Analytics) insights(c echo.Context) error {
	found, err := h.Reader.Insights(c.Request().Context(), caller(c.Request().Context()).User.ID)
	return analysed(c, h.Rates, found, err, func(i models.Insights, currency string) any { return wire.NewInsights(i, currency, time.Now()) })
}

// predictions handles GET /api/analytics/predictions.
//
//	200 {success, data: {nextMonthPrediction, ...} or {message, predictions: null}}    401 no good token
func (h *Analytics) predictions(c echo.Context) error {
	found, err := h.Reader.Prediction(c.Request().Context(), caller(c.Request().Context()).User.ID)
	return analysed(c, h.Rates, found, err, func(p models.Prediction, _ string) any { return wire.NewPrediction(p) })
}

// velocity handles GET /api/analytics/velocity.
//
//	200 {success, data: {currentSpent, dailyAverage, projectedMonthEnd, ...}}    401 no good token
func (h *Analytics) velocity(c echo.Context) error {
	found, err := h.Reader.Velocity(c.Request().Context(), caller(c.Request().Context()).User.ID)
	return analysed(c, h.Rates, found, err, func(v models.Velocity, _ string) any { return wire.NewVelocity(v, time.Now()) })
}

// summary handles GET /api/analytics/summary.
//
//	200 {success, data: {trends, categoryBreakdown, insights, velocity, generatedAt}}    401 no good token
func (h *Analytics) summary(c echo.Context) error {
	found, err := h.Reader.Overview(c.Request().Context(), caller(c.Request().Context()).User.ID)
	return analysed(c, h.Rates, found, err, func(o models.Overview, currency string) any { return wire.NewOverview(o, currency, time.Now()) })
}
