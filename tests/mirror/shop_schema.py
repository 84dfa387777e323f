"""A shop in SQL, with links, composite keys, a join table and values of every type.

The rule: all databases understand this SQL; the types of each come from the samples.
"""

from __future__ import annotations

from mirror.sql_samples import SAMPLES, SETUP, Refused

TABLES = """
CREATE TABLE country (code CHAR(3) PRIMARY KEY, name VARCHAR(40) NOT NULL UNIQUE);
CREATE TABLE customer (
    id INT PRIMARY KEY,
    country_code CHAR(3) REFERENCES country (code),
    referrer_id INT REFERENCES customer (id),
    email VARCHAR(80) NOT NULL UNIQUE,
    born DATE
);
CREATE TABLE category (id INT PRIMARY KEY, name VARCHAR(40));
CREATE TABLE product (id INT PRIMARY KEY, name VARCHAR(40), price NUMERIC(10, 2), stock INT);
CREATE INDEX by_name ON product (name, price);
CREATE TABLE product_category (
    product_id INT NOT NULL REFERENCES product (id),
    category_id INT NOT NULL REFERENCES category (id),
    PRIMARY KEY (product_id, category_id)
);
CREATE TABLE purchase (
    id INT PRIMARY KEY,
    customer_id INT NOT NULL REFERENCES customer (id),
    placed TIMESTAMP NULL
);
CREATE TABLE purchase_line (
    purchase_id INT NOT NULL REFERENCES purchase (id),
    pos INT NOT NULL,
    product_id INT NOT NULL REFERENCES product (id),
    PRIMARY KEY (purchase_id, pos)
);
CREATE TABLE shipment (
    id INT PRIMARY KEY,
    purchase_id INT,
    pos INT,
    FOREIGN KEY (purchase_id, pos) REFERENCES purchase_line (purchase_id, pos)
);
INSERT INTO country VALUES ('DE', 'Germany'), ('FR', 'France');
INSERT INTO customer VALUES (1, 'DE', NULL, 'a@x.org', '1980-02-29'), (2, 'FR', 1, 'b@x.org', NULL);
INSERT INTO customer VALUES (3, NULL, 2, 'c@x.org', NULL);
INSERT INTO category VALUES (1, 'books'), (2, 'music');
INSERT INTO product VALUES (1, 'Faust', 9.50, 3), (2, 'Songbook', 12.00, NULL), (3, NULL, NULL, 0);
INSERT INTO product_category VALUES (1, 1), (2, 1), (2, 2);
INSERT INTO purchase VALUES (1, 1, '2024-02-29 10:20:30'), (2, 1, NULL);
INSERT INTO purchase_line VALUES (1, 1, 1), (1, 2, 2), (2, 1, 2);
INSERT INTO shipment VALUES (1, 1, 2), (2, NULL, NULL)
"""


def statements(kind: str) -> list[str]:
    """Return the SQL that makes the shop in an empty database, ``specimen`` with every type."""
    columns = ['product_id INT PRIMARY KEY REFERENCES product (id)']
    names, values = ['product_id'], ['1']
    for number, sample in enumerate(SAMPLES[kind]):
        if not isinstance(sample, Refused):
            null = ' NULL' if sample.kind == 'timestamp' else ''
            columns.append(f'c{number} {sample.kind.replace("(id + 1)", "(product_id + 1)")}{null}')
            if sample.literal:
                names.append(f'c{number}')
                values.append(sample.literal)
    return [
        *SETUP.get(kind, []),
        *filter(None, map(str.strip, TABLES.split(';'))),
        f'CREATE TABLE specimen ({", ".join(columns)})',
        f'INSERT INTO specimen ({", ".join(names)}) VALUES ({", ".join(values)})',
        'INSERT INTO specimen (product_id) VALUES (2)',
    ]
