-- pairs: the readings of a column in each window, each with its neighbours. One whose time is before that of another that came before it is left out. The
-- last one before the window, however long ago, comes first (inside = 0). from_at is where it begins to hold in the window.
DROP TABLE IF EXISTS pairs;
CREATE TABLE pairs AS
WITH seen AS (
    SELECT w, e, g, seq, at, {{.Column}} AS x, max(at) OVER (PARTITION BY w, e, g ORDER BY pane, seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS latest
    FROM x WHERE {{.Column}} IS NOT NULL),
readings AS (
    SELECT w, e, g, 1 AS inside, seq, at, x FROM seen WHERE latest IS NULL OR at >= latest
    {{if .Pane}}UNION ALL SELECT win.w, win.e, win.g, 0, 0, lasts.at, lasts.x FROM (SELECT DISTINCT w, e, g FROM x) AS win
        JOIN lasts ON lasts.g = win.g AND lasts.pane = (SELECT max(pane) FROM lasts AS l WHERE l.g = win.g AND l.pane < win.w){{end}})
SELECT *, max(at, w) AS from_at, lag(x) OVER o AS px, lag(at) OVER o AS pat, coalesce(lead(at) OVER o, e) - max(at, w) AS holds
FROM readings WINDOW o AS (PARTITION BY w, e, g ORDER BY inside, at, seq);

.output {{.Column}}.csv
{{if eq .Column "v"}}
SELECT w, e, g, CASE WHEN sum(inside) > 0 AND count(*) > 1 THEN sum(x - px) END AS delta,
    CASE WHEN sum(inside) > 0 AND count(*) > 1 THEN sum((x + px) / 2.0 * (at - pat)) / 1e9 END AS integral,
    sum(x * holds) / NULLIF(e - min(from_at), 0) AS twa
FROM pairs GROUP BY w, e, g;
{{else if eq .Column "c"}}
WITH grown AS (SELECT w, e, g, CASE WHEN sum(inside) > 0 AND count(*) > 1 THEN sum(CASE WHEN x < px THEN x ELSE x - px END) END AS increase, max(at) - min(at) AS ns FROM pairs GROUP BY w, e, g)
SELECT w, e, g, increase, increase / NULLIF(ns / 1e9, 0) AS rate FROM grown;
{{else if eq .Column "b"}}
SELECT w, e, g, coalesce(sum(x <> px), 0) AS edges, coalesce(sum(x > px), 0) AS pulses, sum(x * holds) * 1.0 / NULLIF(e - min(from_at), 0) AS duty FROM pairs GROUP BY w, e, g;
{{else}}
SELECT w, e, g, CASE WHEN e > min(from_at) THEN sum(CASE WHEN x = '"on"' THEN holds ELSE 0 END) / 1e9 END AS time_in_state FROM pairs GROUP BY w, e, g;
{{end}}
