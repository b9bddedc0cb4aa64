-- phpMyAdmin SQL Dump
-- version 5.2.1deb1
-- https://www.phpmyadmin.net/
--
-- Host: localhost:3306
-- Generation Time: Jan 05, 2026 at 10:11 AM
-- Server version: 10.11.6-MariaDB
-- PHP Version: 8.2.7

SET SQL_MODE = "NO_AUTO_VALUE_ON_ZERO";
START TRANSACTION;
SET time_zone = "+00:00";


/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
/*!40101 SET @OLD_CHARACTER_SET_RESULTS=@@CHARACTER_SET_RESULTS */;
/*!40101 SET @OLD_COLLATION_CONNECTION=@@COLLATION_CONNECTION */;
/*!40101 SET NAMES utf8mb4 */;

--
-- Database: `lending`
--
CREATE DATABASE IF NOT EXISTS `lending` DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
USE `lending`;

DELIMITER $$
--
-- Procedures
--
DROP PROCEDURE IF EXISTS `extend`$$
CREATE DEFINER=`app`@`%` PROCEDURE `extend` (IN `b` INT, IN `days` INT)  COMMENT 'it\'s longer' BEGIN
  DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; END;
  CASE WHEN days > 0 THEN UPDATE loan SET due = due + INTERVAL days DAY WHERE book = b; ELSE BEGIN END; END CASE;
END$$

--
-- Functions
--
DROP FUNCTION IF EXISTS `fine`$$
CREATE DEFINER=`app`@`%` FUNCTION `fine` (`days` INT) RETURNS DECIMAL(6,2) DETERMINISTIC RETURN IF(days > 0, days * 0.25, 0)$$

DELIMITER ;

-- --------------------------------------------------------

--
-- Table structure for table `book`
--
-- Creation: Jan 05, 2026 at 10:00 AM
--

DROP TABLE IF EXISTS `book`;
CREATE TABLE `book` (
  `id` int(10) UNSIGNED NOT NULL,
  `isbn` char(13) CHARACTER SET latin1 COLLATE latin1_bin DEFAULT NULL,
  `title` varchar(200) NOT NULL DEFAULT '',
  `kind` enum('paper','audio','e-book') NOT NULL DEFAULT 'paper',
  `tags` set('new','rare','large print') DEFAULT NULL,
  `price` decimal(8,2) UNSIGNED NOT NULL DEFAULT 0.00,
  `gross` decimal(10,2) GENERATED ALWAYS AS (`price` * 1.07) STORED,
  `cover` longblob DEFAULT NULL,
  `added` timestamp NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(),
  `flags` bit(4) NOT NULL DEFAULT b'101'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

--
-- RELATIONSHIPS FOR TABLE `book`:
--

--
-- Truncate table before insert `book`
--

TRUNCATE TABLE `book`;
--
-- Dumping data for table `book`
--

INSERT INTO `book` (`id`, `isbn`, `title`, `kind`, `tags`, `price`, `cover`, `added`, `flags`) VALUES
(1, NULL, 'a\\', 'paper', NULL, 0.00, 0x000a3b27, '2026-01-05 10:00:00', b'0101');

-- --------------------------------------------------------

--
-- Table structure for table `branch`
--

DROP TABLE IF EXISTS `branch`;
CREATE TABLE `branch` (
  `id` smallint(5) UNSIGNED NOT NULL,
  `name` varchar(60) NOT NULL COMMENT 'as on the door; "quoted"',
  `opens` time NOT NULL DEFAULT '09:00:00'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='where books are; it''s a list';

--
-- Dumping data for table `branch`
--

INSERT INTO `branch` (`id`, `name`, `opens`) VALUES
(1, 'Mid\'town; --', '09:00:00'),
(2, 'x\"y', '09:00:00');

-- --------------------------------------------------------

--
-- Table structure for table `loan`
--

DROP TABLE IF EXISTS `loan`;
CREATE TABLE `loan` (
  `book` int(10) UNSIGNED NOT NULL,
  `branch` smallint(5) UNSIGNED NOT NULL,
  `reader` varchar(80) NOT NULL,
  `since` datetime(3) NOT NULL DEFAULT current_timestamp(3),
  `due` date DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

--
-- Triggers `loan`
--
DROP TRIGGER IF EXISTS `loan_due`;
DELIMITER $$
CREATE TRIGGER `loan_due` BEFORE INSERT ON `loan` FOR EACH ROW BEGIN
  IF NEW.due IS NULL THEN
    SET NEW.due = CURRENT_DATE + INTERVAL 28 DAY;
  END IF;
END
$$
DELIMITER ;

-- --------------------------------------------------------

--
-- Stand-in structure for view `overdue`
-- (See below for the actual view)
--
DROP VIEW IF EXISTS `overdue`;
CREATE TABLE `overdue` (
`reader` varchar(80)
,`title` varchar(200)
);

-- --------------------------------------------------------

--
-- Table structure for table `visit`
--

DROP TABLE IF EXISTS `visit`;
CREATE TABLE `visit` (
  `day` date NOT NULL,
  `branch` smallint(5) UNSIGNED NOT NULL,
  `visitors` int(11) NOT NULL DEFAULT 0
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
PARTITION BY RANGE COLUMNS(`day`)
(
PARTITION `old` VALUES LESS THAN ('2025-01-01') ENGINE=InnoDB,
PARTITION `now` VALUES LESS THAN (MAXVALUE) ENGINE=InnoDB COMMENT='the present'
);

-- --------------------------------------------------------

--
-- Structure for view `overdue`
--
DROP TABLE IF EXISTS `overdue`;

DROP VIEW IF EXISTS `overdue`;
CREATE ALGORITHM=UNDEFINED DEFINER=`app`@`%` SQL SECURITY DEFINER VIEW `overdue`  AS SELECT `l`.`reader` AS `reader`, `b`.`title` AS `title` FROM (`loan` `l` join `book` `b` on(`b`.`id` = `l`.`book`)) WHERE `l`.`due` < curdate() ;

--
-- Indexes for dumped tables
--

--
-- Indexes for table `book`
--
ALTER TABLE `book`
  ADD PRIMARY KEY (`id`),
  ADD UNIQUE KEY `isbn` (`isbn`),
  ADD KEY `by_title` (`title`(20),`kind`);
ALTER TABLE `book` ADD FULLTEXT KEY `words` (`title`);

--
-- Indexes for table `branch`
--
ALTER TABLE `branch`
  ADD PRIMARY KEY (`id`),
  ADD UNIQUE KEY `name` (`name`);

--
-- Indexes for table `loan`
--
ALTER TABLE `loan`
  ADD PRIMARY KEY (`book`),
  ADD KEY `branch` (`branch`,`due` DESC);

--
-- Indexes for table `visit`
--
ALTER TABLE `visit`
  ADD PRIMARY KEY (`day`,`branch`);

--
-- AUTO_INCREMENT for dumped tables
--

--
-- AUTO_INCREMENT for table `book`
--
ALTER TABLE `book`
  MODIFY `id` int(10) UNSIGNED NOT NULL AUTO_INCREMENT;

--
-- AUTO_INCREMENT for table `branch`
--
ALTER TABLE `branch`
  MODIFY `id` smallint(5) UNSIGNED NOT NULL AUTO_INCREMENT, AUTO_INCREMENT=3;

--
-- Constraints for dumped tables
--

--
-- Constraints for table `book`
--
ALTER TABLE `book`
  ADD CONSTRAINT `price_sane` CHECK (`price` < 10000);

--
-- Constraints for table `loan`
--
ALTER TABLE `loan`
  ADD CONSTRAINT `loan_book` FOREIGN KEY (`book`) REFERENCES `book` (`id`) ON DELETE CASCADE,
  ADD CONSTRAINT `loan_branch` FOREIGN KEY (`branch`) REFERENCES `branch` (`id`) ON UPDATE CASCADE;

DELIMITER $$
--
-- Events
--
DROP EVENT IF EXISTS `tidy`$$
CREATE DEFINER=`app`@`%` EVENT `tidy` ON SCHEDULE EVERY 1 DAY STARTS '2025-01-01 03:00:00' ON COMPLETION PRESERVE DISABLE COMMENT 'nightly' DO DELETE FROM visit WHERE day < '2000-01-01'$$

DELIMITER ;
COMMIT;

/*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT */;
/*!40101 SET CHARACTER_SET_RESULTS=@OLD_CHARACTER_SET_RESULTS */;
/*!40101 SET COLLATION_CONNECTION=@OLD_COLLATION_CONNECTION */;
