-- lasts: of each pane the reading with the latest time, of those the last in the log.
DROP TABLE IF EXISTS lasts;
CREATE TABLE lasts AS
SELECT g, pane, at, x FROM (
    SELECT g, pane, at, {{.Column}} AS x, row_number() OVER (PARTITION BY g, pane ORDER BY at DESC, seq DESC) AS i FROM in_time WHERE {{.Column}} IS NOT NULL)
WHERE i = 1;
CREATE INDEX lasts_of ON lasts (g, pane);
