-- MySQL dump 10.13  Distrib 9.7.4, for Linux (x86_64)
--
-- Host: 127.0.0.1    Database: lending
-- ------------------------------------------------------
-- Server version	9.7.4-2
/*!40103 SET @OLD_TIME_ZONE=@@TIME_ZONE */;
/*!40103 SET TIME_ZONE='+00:00' */;
/*!40014 SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0 */;
/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;
/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO,ANSI' */;
/*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */;

--
-- Table structure for table "book"
--

DROP TABLE IF EXISTS "book";
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!50503 SET character_set_client = utf8mb4 */;
CREATE TABLE "book" (
  "id" int unsigned NOT NULL AUTO_INCREMENT,
  "isbn" char(13) CHARACTER SET latin1 COLLATE latin1_bin DEFAULT NULL,
  "title" varchar(200) COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  "kind" enum('paper','audio','e-book') COLLATE utf8mb4_bin NOT NULL DEFAULT 'paper',
  "tags" set('new','rare','large print') COLLATE utf8mb4_bin DEFAULT NULL,
  "price" decimal(8,2) unsigned NOT NULL DEFAULT '0.00',
  "gross" decimal(10,2) GENERATED ALWAYS AS ((`price` * 1.07)) STORED,
  "cover" longblob,
  "added" timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  "flags" bit(4) NOT NULL DEFAULT b'101',
  PRIMARY KEY ("id"),
  UNIQUE KEY "isbn" ("isbn"),
  KEY "by_title" ("title"(20),"kind"),
  FULLTEXT KEY "words" ("title"),
  CONSTRAINT "price_sane" CHECK ((`price` < 10000))
);
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Table structure for table "branch"
--

DROP TABLE IF EXISTS "branch";
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!50503 SET character_set_client = utf8mb4 */;
CREATE TABLE "branch" (
  "id" smallint unsigned NOT NULL AUTO_INCREMENT,
  "name" varchar(60) COLLATE utf8mb4_bin NOT NULL COMMENT 'as on the door; "quoted"',
  "opens" time NOT NULL DEFAULT '09:00:00',
  PRIMARY KEY ("id"),
  UNIQUE KEY "name" ("name")
);
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Table structure for table "loan"
--

DROP TABLE IF EXISTS "loan";
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!50503 SET character_set_client = utf8mb4 */;
CREATE TABLE "loan" (
  "book" int unsigned NOT NULL,
  "branch" smallint unsigned NOT NULL,
  "reader" varchar(80) COLLATE utf8mb4_bin NOT NULL,
  "since" datetime(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  "due" date DEFAULT NULL,
  PRIMARY KEY ("book"),
  KEY "branch" ("branch","due" DESC),
  CONSTRAINT "loan_book" FOREIGN KEY ("book") REFERENCES "book" ("id") ON DELETE CASCADE,
  CONSTRAINT "loan_branch" FOREIGN KEY ("branch") REFERENCES "branch" ("id") ON UPDATE CASCADE
);
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Temporary view structure for view "overdue"
--

DROP TABLE IF EXISTS "overdue";
/*!50001 DROP VIEW IF EXISTS "overdue"*/;
SET @saved_cs_client     = @@character_set_client;
/*!50503 SET character_set_client = utf8mb4 */;
/*!50001 CREATE VIEW "overdue" AS SELECT 
 1 AS "reader",
 1 AS "title"*/;
SET character_set_client = @saved_cs_client;

--
-- Table structure for table "visit"
--

DROP TABLE IF EXISTS "visit";
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!50503 SET character_set_client = utf8mb4 */;
CREATE TABLE "visit" (
  "day" date NOT NULL,
  "branch" smallint unsigned NOT NULL,
  "visitors" int NOT NULL DEFAULT '0',
  PRIMARY KEY ("day","branch")
)
/*!50500 PARTITION BY RANGE  COLUMNS("day")
(PARTITION "old" VALUES LESS THAN ('2025-01-01'),
 PARTITION now VALUES LESS THAN (MAXVALUE)) */;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Final view structure for view "overdue"
--

/*!50001 DROP VIEW IF EXISTS "overdue"*/;
/*!50001 SET @saved_cs_client          = @@character_set_client */;
/*!50001 SET @saved_cs_results         = @@character_set_results */;
/*!50001 SET @saved_col_connection     = @@collation_connection */;
/*!50001 SET character_set_client      = utf8mb3 */;
/*!50001 SET character_set_results     = utf8mb3 */;
/*!50001 SET collation_connection      = utf8mb3_general_ci */;
/*!50001 CREATE VIEW "overdue" AS select "l"."reader" AS "reader","b"."title" AS "title" from ("loan" "l" join "book" "b" on(("b"."id" = "l"."book"))) where ("l"."due" < curdate()) */;
/*!50001 SET character_set_client      = @saved_cs_client */;
/*!50001 SET character_set_results     = @saved_cs_results */;
/*!50001 SET collation_connection      = @saved_col_connection */;
/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;

/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;
/*!40014 SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS */;
/*!40014 SET UNIQUE_CHECKS=@OLD_UNIQUE_CHECKS */;
/*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;

-- Dump completed
