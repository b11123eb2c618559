package handlers

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

// analytics is implemented by *store.Store. It computes figures from a user's own
// entries. The result is nil if the user has no entries.
type analytics interface {
	Trends(ctx context.Context, userID, period string, months int) (*models.Analysis[models.Trends], error)
	Breakdown(ctx context.Context, userID, kind string, from, to models.DayRef) (*models.Analysis[models.Breakdown], error)
	Comparison(ctx context.Context, userID string, months int) (*models.Analysis[[]models.MonthComparison], error)
	Insights(ctx context.Context, userID string) (*models.Analysis[models.Insights], error)
	Prediction(ctx context.Context, userID string) (*models.Analysis[models.Prediction], error)
	Velocity(ctx context.Context, userID string) (*models.Analysis[models.Velocity], error)
	Overview(ctx context.Context, userID string) (*models.Analysis[models.Overview], error)
}

// Analytics handles the routes of /api/analytics. docs/analytics.md describes how each
// figure is computed.
type Analytics struct {
	Reader analytics
	Rates  *models.Rates // nil converts nothing
}

// Register adds the routes to api. guard authenticates the caller.
func (h *Analytics) Register(api *echo.Group, guard ...echo.MiddlewareFunc) {
	guard = withCodes(guard)
	get(api, "/analytics/spending-trends", h.trends, guard...)
	get(api, "/analytics/category-breakdown", h.breakdown, guard...)
	get(api, "/analytics/comparison", h.comparison, guard...)
	get(api, "/analytics/insights", h.insights, guard...)
	get(api, "/analytics/predictions", h.predictions, guard...)
	get(api, "/analytics/velocity", h.velocity, guard...)
	get(api, "/analytics/summary", h.summary, guard...)
}

// respondAnalysis sends the document of an analysis, or that there are no entries yet.
func respondAnalysis[T any](
	c echo.Context, rates *models.Rates, a *models.Analysis[T], err error, document func(result T, currency string) any,
) error {
	switch {
	case err != nil:
		return err
	case a == nil:
		return respond(c, http.StatusOK, wire.NewEmptyAnalyticsResponse())
	}
	return respond(c, http.StatusOK, wire.NewAnalyticsResponse(a, document(a.Value, a.Currency), rates))
}

// trends handles GET /api/analytics/spending-trends?period=&months=.
//
//	200 {success, data: {period, data, summary}}    400 invalid period or months
func (h *Analytics) trends(c echo.Context) error {
	period, months, err := wire.ParseTrends(c.QueryParam("period"), c.QueryParam("months"))
	if err != nil {
		return err
	}
	found, err := h.Reader.Trends(c.Request().Context(), userID(c), period, months)
	return respondAnalysis(c, h.Rates, found, err, func(t models.Trends, _ string) any { return wire.NewTrends(t) })
}

// breakdown handles GET /api/analytics/category-breakdown?type=&startDate=&endDate=,
// both days included.
//
//	200 {success, data: {type, grandTotal, categories, topCategory}}    400 invalid type or dates
func (h *Analytics) breakdown(c echo.Context) error {
	kind, from, to, err := wire.ParseBreakdown(c.QueryParam("type"), c.QueryParam("startDate"), c.QueryParam("endDate"))
	if err != nil {
		return err
	}
	found, err := h.Reader.Breakdown(c.Request().Context(), userID(c), kind, from, to)
	return respondAnalysis(c, h.Rates, found, err, func(b models.Breakdown, _ string) any { return wire.NewBreakdown(b) })
}

// comparison handles GET /api/analytics/comparison?months=.
//
//	200 {success, data: {comparisons}}    400 months out of range
func (h *Analytics) comparison(c echo.Context) error {
	months, err := wire.ParseComparison(c.QueryParam("months"))
	if err != nil {
		return err
	}
	found, err := h.Reader.Comparison(c.Request().Context(), userID(c), months)
	return respondAnalysis(c, h.Rates, found, err, func(m []models.MonthComparison, _ string) any { return wire.NewComparison(m) })
}

// insights handles GET /api/analytics/insights.
//
//	200 {success, data: {insights, generatedAt, periodAnalyzed}}    401 invalid token
func (h *Analytics) insights(c echo.Context) error {
	found, err := h.Reader.Insights(c.Request().Context(), userID(c))
	return respondAnalysis(c, h.Rates, found, err, func(i models.Insights, currency string) any {
		return wire.NewInsights(i, currency, time.Now())
	})
}

// predictions handles GET /api/analytics/predictions.
//
//	200 {success, data: {nextMonthPrediction, ...} or {message, predictions: null}}    401 invalid token
func (h *Analytics) predictions(c echo.Context) error {
	found, err := h.Reader.Prediction(c.Request().Context(), userID(c))
	return respondAnalysis(c, h.Rates, found, err, func(p models.Prediction, _ string) any { return wire.NewPrediction(p) })
}

// velocity handles GET /api/analytics/velocity.
//
//	200 {success, data: {currentSpent, dailyAverage, projectedMonthEnd, ...}}    401 invalid token
func (h *Analytics) velocity(c echo.Context) error {
	found, err := h.Reader.Velocity(c.Request().Context(), userID(c))
	return respondAnalysis(c, h.Rates, found, err, func(v models.Velocity, _ string) any { return wire.NewVelocity(v, time.Now()) })
}

// summary handles GET /api/analytics/summary.
//
//	200 {success, data: {trends, categoryBreakdown, insights, velocity, generatedAt}}    401 invalid token
func (h *Analytics) summary(c echo.Context) error {
	found, err := h.Reader.Overview(c.Request().Context(), userID(c))
	return respondAnalysis(c, h.Rates, found, err, func(o models.Overview, currency string) any {
		return wire.NewOverview(o, currency, time.Now())
	})
}
