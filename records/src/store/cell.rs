//! Values and lines that both engines can carry, and the four calls that carry them.

use super::StoreError;
use sqlx::postgres::{PgArguments, PgRow, Postgres};
use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteRow};
use sqlx::{Column, Executor, Row, TypeInfo, ValueRef};

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    Int(i64),
    Text(String),
    Blob(Vec<u8>),
}

impl From<i64> for Cell {
    fn from(v: i64) -> Self {
        Self::Int(v)
    }
}
impl From<&str> for Cell {
    fn from(v: &str) -> Self {
        Self::Text(v.to_owned())
    }
}
impl From<String> for Cell {
    fn from(v: String) -> Self {
        Self::Text(v)
    }
}
impl From<Vec<u8>> for Cell {
    fn from(v: Vec<u8>) -> Self {
        Self::Blob(v)
    }
}

/// One line of an answer. Reading a column as what it is not is an error, never a panic.
#[derive(Clone, Debug)]
pub(crate) struct Line(Vec<Cell>);

impl Line {
    pub(crate) fn int(&self, i: usize) -> Result<i64, StoreError> {
        match self.0.get(i) {
            Some(Cell::Int(v)) => Ok(*v),
            other => Err(StoreError::shape(format_args!("column {i} is no number ({})", kind(other)))),
        }
    }

    pub(crate) fn text(&self, i: usize) -> Result<&str, StoreError> {
        match self.0.get(i) {
            Some(Cell::Text(v)) => Ok(v),
            other => Err(StoreError::shape(format_args!("column {i} is no text ({})", kind(other)))),
        }
    }

    pub(crate) fn blob(&self, i: usize) -> Result<&[u8], StoreError> {
        match self.0.get(i) {
            Some(Cell::Blob(v)) => Ok(v),
            other => Err(StoreError::shape(format_args!("column {i} is no bytes ({})", kind(other)))),
        }
    }
}

fn kind(cell: Option<&Cell>) -> &'static str {
    match cell {
        None => "missing",
        Some(Cell::Int(_)) => "a number",
        Some(Cell::Text(_)) => "text",
        Some(Cell::Blob(_)) => "bytes",
    }
}

/// The same few lines for each engine: sqlx's types differ, what we do does not.
macro_rules! engine {
    ($db:ty, $args:ty, $row:ty, $query:ident, $exec:ident, $rows:ident, $line:ident) => {
        fn $query(sql: &'static str, cells: &[Cell]) -> Query<'static, $db, $args> {
            cells.iter().fold(sqlx::query(sql), |q, cell| match cell {
                Cell::Int(v) => q.bind(*v),
                Cell::Text(v) => q.bind(v.clone()),
                Cell::Blob(v) => q.bind(v.clone()),
            })
        }

        pub(super) async fn $exec<'c>(
            on: impl Executor<'c, Database = $db>,
            sql: &'static str,
            cells: &[Cell],
        ) -> Result<u64, StoreError> {
            Ok($query(sql, cells).execute(on).await?.rows_affected())
        }

        pub(super) async fn $rows<'c>(
            on: impl Executor<'c, Database = $db>,
            sql: &'static str,
            cells: &[Cell],
        ) -> Result<Vec<Line>, StoreError> {
            $query(sql, cells).fetch_all(on).await?.iter().map($line).collect()
        }

        fn $line(row: &$row) -> Result<Line, StoreError> {
            let cell = |i: usize| {
                let value = row.try_get_raw(i)?;
                let named = value.type_info().name().to_owned();
                Ok(match named.as_str() {
                    "INTEGER" | "BIGINT" | "INT8" => Cell::Int(row.try_get(i)?),
                    "INT4" => Cell::Int(row.try_get::<i32, _>(i)?.into()),
                    "TEXT" | "VARCHAR" | "NAME" => Cell::Text(row.try_get(i)?),
                    "BLOB" | "BYTEA" => Cell::Blob(row.try_get(i)?),
                    other => {
                        let column = row.column(i).name();
                        return Err(StoreError::shape(format_args!("`{column}` is {other}")));
                    }
                })
            };
            (0..row.len()).map(cell).collect::<Result<_, StoreError>>().map(Line)
        }
    };
}

engine!(Sqlite, SqliteArguments, SqliteRow, sqlite_query, sqlite_exec, sqlite_rows, sqlite_line);
engine!(Postgres, PgArguments, PgRow, postgres_query, postgres_exec, postgres_rows, postgres_line);
