-- What rows give one by one, or in their order.
.output late.csv
SELECT (SELECT count(*) FROM y) - (SELECT count(*) FROM in_time) AS late, (SELECT count(*) FROM y) AS taken;

.output plain.csv
WITH mean AS (SELECT w, e, g, avg(v) AS mean FROM x GROUP BY w, e, g)
SELECT w, e, g, count(*) AS "count", sum(v) AS sum, min(v) AS min, max(v) AS max, avg(v) AS avg, count(DISTINCT h) AS "distinct",
    CASE WHEN count(v) > 1 THEN sqrt(sum((v - mean) * (v - mean)) / (count(v) - 1)) END AS stddev,
    CASE WHEN count(v) > 1 THEN sum((v - mean) * (v - mean)) / (count(v) - 1) END AS variance,
    '[' || sum(coalesce(v <= -10, 0)) || ',' || sum(coalesce(v > -10 AND v <= 0, 0)) || ',' || sum(coalesce(v > 0 AND v <= 12.5, 0)) || ','
        || sum(coalesce(v > 12.5 AND v <= 100, 0)) || ',' || sum(coalesce(v > 100, 0)) || ']' AS histogram
FROM x JOIN mean USING (w, e, g) GROUP BY w, e, g;

.output order.csv
WITH present AS (
    SELECT w, e, g, m, row_number() OVER (PARTITION BY w, e, g ORDER BY pane, seq) AS i, count(*) OVER (PARTITION BY w, e, g) AS n FROM x WHERE m IS NOT NULL),
collected AS (
    SELECT *, CASE WHEN i <= 5 THEN group_concat(m, ',') OVER (PARTITION BY w, e, g ORDER BY i ROWS UNBOUNDED PRECEDING) END AS so_far
    FROM present WHERE i <= 5 OR i = n)
SELECT w, e, g, max(CASE WHEN i = 1 THEN m END) AS first, max(CASE WHEN i = n THEN m END) AS last,
    '[' || max(CASE WHEN i = min(5, n) THEN so_far END) || ']' AS collect
FROM collected GROUP BY w, e, g;
