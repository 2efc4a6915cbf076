#!/bin/sh
# Runs once, while PostgreSQL's volume is empty: gives Aside a database and a role of its own that is no superuser.
set -eu
psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="${POSTGRES_USER:-postgres}" --dbname=postgres <<'SQL'
\set password `cat /run/secrets/postgres_password`
CREATE ROLE aside LOGIN PASSWORD :'password';
CREATE DATABASE aside OWNER aside;
SQL
